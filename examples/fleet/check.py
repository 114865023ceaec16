"""Looks at what a fleet of agents did: python3 check.py LOG BEFORE AFTER DOCTOR

LOG has a line for each thing that somebody says: when, in microseconds of the clock that all processes
share, what, in which run of which agent, and about which item.

    begin, step, end    whoever works says it, between claiming the item and letting go of it
    dies                the same, at once before it kills itself
    killed-both-work    the agent says it, with the moment before it killed the run's jerry and command
    killed-...          the same of a kill after which somebody may still work
    ack                 it was told that the item is completed; an item `-` is that of the run

Only what is certain counts as work: from `begin` to the last word, and to the kill that hit the command
as well. Whoever is found working on what another works on has been, then; what lies between the last
word and the end of a process is not looked at.

BEFORE and AFTER are exports of the store, DOCTOR what `jerry --json doctor` says in the end.
"""

import json
import sys
from collections import Counter, defaultdict
from datetime import datetime, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
WORDS = ("begin", "step", "end", "dies")
# What killed processes leave behind, the index, which is a cache, and where the store lies.
LEFT_BEHIND = ("temp_litter", "stale_index", "unsafe_file_system")


class Stretch:
    """Somebody works on an item, from one moment to another."""

    def __init__(self, run, item, begin):
        self.run, self.item, self.begin, self.end = run, item, begin, begin
        self.is_over = self.is_done = False

    def __str__(self):
        return f"run {self.run} from {self.begin} to {self.end}"


def read_log(lines):
    """The stretches of work, the acknowledgements as (run, item), and how often who was killed."""
    stretches, acknowledged, kills = {}, [], Counter()
    everything = []
    for line in lines:
        moment, event, run, item = line.split()
        moment = int(moment)
        last = stretches.get(run)
        if event == "begin":
            stretches[run] = Stretch(run, item, moment)
            everything.append(stretches[run])
        elif event in WORDS:
            if last is None or last.item != item or last.is_over:
                raise ValueError(f"out of place: {line}")
            last.end = moment
            last.is_over = event in ("end", "dies")
            last.is_done = event == "end"
            if event == "dies":
                kills["command"] += 1
        elif event == "ack":
            acknowledged.append((run, last.item if item == "-" and last else item))
        elif event.startswith("killed-"):
            kills[event.removeprefix("killed-")] += 1
            if event == "killed-both-work" and last is not None and not last.is_over:
                last.end = max(last.end, moment)
        else:
            raise ValueError(f"unknown: {line}")
    return everything, acknowledged, kills


def by_item(stretches):
    items = defaultdict(list)
    for stretch in stretches:
        items[stretch.item].append(stretch)
    for worked in items.values():
        worked.sort(key=lambda stretch: (stretch.begin, stretch.end))
    return items


def worked_on_by_two(items):
    for item, worked in sorted(items.items()):
        latest = None
        for stretch in worked:
            if latest is not None and stretch.begin <= latest.end:
                yield f"{item} was worked on by two at once: {latest}, {stretch}"
            if latest is None or stretch.end > latest.end:
                latest = stretch


def lost(before, after, items, acknowledged):
    for id in sorted(before.keys() - after.keys()):
        yield f"{id} is gone"
    for id in sorted(after.keys() - before.keys()):
        yield f"{id} came out of nowhere"
    for id, item in sorted(after.items()):
        if item["status"] != "completed":
            yield f"{id} is {item['status']}"
        elif not any(stretch.is_done for stretch in items.get(id, [])):
            yield f"{id} is completed, and nobody has finished it"
        elif (moment := completed(item)) < max(stretch.end for stretch in items[id]):
            yield f"{id} was completed at {moment}, and worked on after that"
        if item["claim"] is not None:
            yield f"{id} is claimed still"
        completions = [e for e in item["history"] if is_new(e, before.get(id)) and finishes(e)]
        if len(completions) > 1:
            yield f"{id} was completed {len(completions)} times"
        for run, _ in (ack for ack in acknowledged if ack[1] == id):
            if [entry.get("session") for entry in completions] != [f"run-{run}"]:
                yield f"run {run} was told that it completed {id}, and did not"


def is_new(entry, item):
    return item is None or entry["version"] > item["version"]


def finishes(entry):
    return entry["event"] == "completed"


def out_of_turn(before, after, items):
    for id, item in sorted(before.items()):
        waits_for = [needed["id"] for needed in item["depends_on"]]
        waits_for += [part["id"] for part in before.values() if is_part_of(part, id)]
        for other in waits_for:
            if other not in before or before[other]["status"] in ("completed", "cancelled"):
                continue
            begun = min((stretch.begin for stretch in items.get(id, [])), default=None)
            ended = max((stretch.end for stretch in items.get(other, [])), default=None)
            if begun is not None and (ended is None or begun <= ended):
                yield f"{id} was begun at {begun}, and {other} worked on until {ended}"
            ends = [completed(after[name]) for name in (other, id) if name in after]
            if None not in ends and len(ends) == 2 and ends[1] <= ends[0]:
                yield f"{id} was completed before {other}"


def is_part_of(item, id):
    return item["parent"] is not None and item["parent"]["id"] == id


def completed(item):
    if item["completed_at"] is None:
        return None
    moment = datetime.fromisoformat(item["completed_at"][:26].rstrip("Z") + "+00:00")
    return round((moment - EPOCH).total_seconds() * 1_000_000)


def sick(doctor):
    for finding in doctor["findings"]:
        if finding["ailment"] not in LEFT_BEHIND:
            yield f"the doctor says: {json.dumps(finding)}"


def check(log, before, after, doctor):
    """What is wrong, and what was done, in a line."""
    stretches, acknowledged, kills = read_log(log)
    items = by_item(stretches)
    wrong = [
        *worked_on_by_two(items),
        *lost(before, after, items, acknowledged),
        *out_of_turn(before, after, items),
        *sick(doctor),
    ]
    again = sum(len(worked) > 1 for worked in items.values())
    killed = ", ".join(f"{count} {what}" for what, count in sorted(kills.items())) or "none"
    done = (
        f"{len(after)} items, {len(stretches)} times worked on, {again} items more than once, "
        f"by {most_at_once(stretches)} at once at most; killed: {killed}"
    )
    return wrong, done


def most_at_once(stretches):
    edges = [(s.begin, 1) for s in stretches] + [(s.end, -1) for s in stretches]
    most = at_once = 0
    for _, change in sorted(edges):
        at_once += change
        most = max(most, at_once)
    return most


def read_items(path):
    with open(path, encoding="utf-8") as file:
        return {item["id"]: item for item in map(json.loads, file)}


def main():
    log, before, after, doctor = sys.argv[1:]
    with open(log, encoding="utf-8") as lines, open(doctor, encoding="utf-8") as said:
        wrong, done = check(lines, read_items(before), read_items(after), json.load(said))
    print(done)
    for line in wrong:
        print(f"WRONG: {line}")
    print(f"{len(wrong)} faults" if wrong else "every item was done once, by one, in its turn")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
