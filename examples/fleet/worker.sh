#!/usr/bin/env bash
# What an agent of the fleet runs on an item: it says that it works, for a moment, and whether it ends
# by itself. Each line is one write to the end of the log.
set -eu

say() { printf '%s %s %s %s\n' "${EPOCHREALTIME/[.,]/}" "$1" "$FLEET_RUN" "$JERRY_ITEM" >> "$FLEET_LOG"; }

RANDOM=$FLEET_SEED
last=$((RANDOM % 3))
say begin
for step in 0 1 2; do
    sleep "0.0$((RANDOM % 50 + 10))"
    say step
    if [ "$step" = "$last" ]; then
        case $FLEET_FATE in
            command)
                say dies
                kill -KILL $$ ;;
            failure)
                say end
                exit 1 ;;
        esac
    fi
done
say end
