#!/usr/bin/env bash
# A fleet of agents on one store, some of them killed all the time, and a check of what they did.
#
# Every agent takes the next item that is ready, works on it for a moment, and takes another, until
# all are completed. At random jerry is killed, or the command that works, or both, at any moment.
# Whoever works writes down when; in the end `fleet/check.py` looks for an item that two worked on at
# once, for one that is lost or done twice, and for one that was begun before what it needs was done.
set -euo pipefail

usage() {
    cat <<'END'
Usage: examples/fleet.sh [--agents N] [--mcp N] [--kills PERCENT] [--seed N] [--timeout SECONDS]
                         [--beads FILE] [--jerry PROGRAM] [--keep FOLDER]

  --agents   how many agents there are [20]
  --mcp      how many of them speak MCP with `jerry mcp`; the others use `jerry work --next` [0]
  --kills    of a hundred runs, how many are killed [30]
  --seed     draws other runs to be killed, at other moments [1]
  --timeout  after so many seconds the fleet has failed [900]
  --beads    the items, as issues of beads, all of which are taken up again [a small plan]
  --jerry    the program [jerry]
  --keep     where the store and the log are kept; else they are removed
END
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/fleet
agents=20 mcp=0 kills=30 seed=1 timeout=900 beads=$here/plan.jsonl jerry=jerry keep=
while [ $# -gt 0 ]; do
    case $1 in
        --agents | --mcp | --kills | --seed | --timeout | --beads | --jerry | --keep)
            [ $# -gt 1 ] || { usage >&2; exit 2; }
            printf -v "${1#--}" %s "$2"
            shift 2 ;;
        -h | --help) usage; exit ;;
        *) usage >&2; exit 2 ;;
    esac
done
for number in "$agents" "$mcp" "$kills" "$seed" "$timeout"; do
    [[ $number =~ ^[0-9]+$ ]] || { echo "fleet: '$number' is not a number" >&2; exit 2; }
done
[ -r "$beads" ] || { echo "fleet: cannot read $beads" >&2; exit 2; }
[ -n "${EPOCHREALTIME:-}" ] || { echo "fleet: needs bash 5 or later" >&2; exit 2; }
command -v python3 >/dev/null || { echo "fleet: needs python3" >&2; exit 2; }
jerry=$(command -v "$jerry") || { echo "fleet: there is no such jerry" >&2; exit 2; }
jerry=$(realpath "$jerry") beads=$(realpath "$beads")

# Nothing of the caller's settings counts.
while IFS= read -r name; do unset "$name"; done < <(compgen -v JERRY_ || true)
folder=${keep:-$(mktemp -d)}
mkdir -p "$folder"
cd "$folder"
[ ! -e .jerry ] || { echo "fleet: there is a store in $folder" >&2; keep=$folder; exit 2; }
export FLEET_LOG=$PWD/log FLEET_JERRY=$jerry JERRY_STORE=$PWD/.jerry JERRY_LOCK_TIMEOUT=5m
: > "$FLEET_LOG"
: > unexpected

clean_up() {
    trap - EXIT INT TERM
    # shellcheck disable=SC2046 # one word for each agent
    kill $(jobs -p) 2>/dev/null || true
    wait
    [ -n "$keep" ] || rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

log() { printf '%s %s %s %s\n' "$@" >> "$FLEET_LOG"; }
now() { now=${EPOCHREALTIME/[.,]/}; }
has_open() { ! "$jerry" --json list --limit 1 | grep -q '"total":0,'; }

# Takes up again whatever is not pending: parents before their parts, so it takes several rounds.
take_up_again() {
    local -A verbs=([completed]=reopen [cancelled]=reopen [in_progress]=release [blocked]=release)
    local status ids left=1
    while [ "$left" = 1 ]; do
        left=0
        for status in "${!verbs[@]}"; do
            mapfile -t ids < <("$jerry" list --status "$status" --limit 0 --fields id | grep -- -)
            [ "${#ids[@]}" = 0 ] && continue
            left=1
            "$jerry" "${verbs[$status]}" "${ids[@]}" > taken-up 2>&1 || [ $? = 10 ] || {
                cat taken-up >&2
                exit 1
            }
        done
    done
}

# Starts one run of an agent in a process group of its own: `jerry work`, or an MCP client and its
# server. In $! is the process that can be killed alone, or with its group, as long as nobody has
# waited for it: until then no other process gets its number.
start() { # kind
    if [ "$1" = mcp ]; then
        JERRY_LEASE=2s python3 "$here/mcp_agent.py" &
    else
        "$jerry" work --next -- "$here/worker.sh" &
    fi
}

agent() { # number kind
    set +e
    set -m # each run is a process group
    RANDOM=$((seed * 1000 + $1))
    local run=0 pid status moment
    trap 'kill -KILL -- "-$pid" 2>/dev/null; exit 1' TERM
    while [ "$SECONDS" -lt "$timeout" ]; do
        run=$((run + 1))
        export FLEET_RUN=$1.$run FLEET_FATE=none FLEET_SEED=$RANDOM
        export JERRY_ACTOR=agent-$1 JERRY_SESSION=run-$1.$run
        if [ $((RANDOM % 100)) -lt "$kills" ]; then
            case $((RANDOM % 3)) in
                0) FLEET_FATE=jerry ;;
                1) FLEET_FATE=command ;;
                2) FLEET_FATE=both ;;
            esac
        elif [ $((RANDOM % 20)) = 0 ]; then
            FLEET_FATE=failure
        fi
        start "$2" < /dev/null >> "out.$1" 2>&1
        pid=$!
        # What kills itself is killed at a moment of its own: an agent its server, a command itself.
        case $FLEET_FATE-$2 in
            jerry-work | both-*)
                printf -v moment '0.%03d' "$((RANDOM % 1000))"
                sleep "$moment"
                now
                moment=$now
                if [ "$FLEET_FATE" = both ]; then kill -KILL -- "-$pid"; else kill -KILL "$pid"; fi ;;
        esac 2>/dev/null
        wait "$pid" 2>/dev/null
        status=$?
        case $FLEET_FATE-$status in
            jerry-137 | both-137) log "$moment" "killed-$FLEET_FATE-$2" "$FLEET_RUN" - ;;
            command-137) ;; # an agent that killed itself, over MCP
            *-0) if [ "$2" = work ]; then now; log "$now" ack "$FLEET_RUN" -; fi ;;
            # The command failed, or was killed: the item is free.
            *-4) ;;
            *-7)
                has_open || return 0
                sleep "0.$((RANDOM % 200 + 100))" ;;
            *) printf 'run %s ended with %s\n' "$FLEET_RUN" "$status" | tee -a unexpected >&2 ;;
        esac
    done
    printf 'agent %s was not done in time\n' "$1" | tee -a unexpected >&2
}

JERRY_ACTOR=fleet
export JERRY_ACTOR
"$jerry" init > made
"$jerry" import --from beads "$beads" > imported
take_up_again
"$jerry" export > before.jsonl
printf '%s items, %s agents, %s of them over MCP\n' "$(wc -l < before.jsonl)" "$agents" "$mcp"

SECONDS=0
for ((number = 1; number <= agents; number++)); do
    if [ "$number" -le "$mcp" ]; then agent "$number" mcp & else agent "$number" work & fi
done
wait
printf 'done after %s s\n' "$SECONDS"

"$jerry" export > after.jsonl
"$jerry" --json doctor > doctor.json || true
if [ -s unexpected ]; then
    tail -n 5 out.* >&2
    exit 1
fi
python3 "$here/check.py" log before.jsonl after.jsonl doctor.json
