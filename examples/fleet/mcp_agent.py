"""One run of an agent of the fleet that speaks MCP: some items, over one server.

It holds its claims by a lease, not by being alive, so it must know by itself when to stop: it says
that it works only while its lease stands, and gives up an item that it was too slow for. With the
fate "command" it kills itself at some step, with "jerry" its server.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
ITEMS = 4


class ServerIsGone(Exception):
    """The server has been killed."""


class TooLate(Exception):
    """The lease is over, or another has the item."""


class Refused(Exception):
    """The answer of a tool that did not do it."""

    def __init__(self, error):
        super().__init__(error["message"])
        self.code = error["code"]


class Server:
    """`jerry mcp`, asked one thing after the other."""

    def __init__(self, program):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([program, "mcp"], stdin=pipe, stdout=pipe)
        self.asked = 0
        client = {"name": "fleet", "version": "1"}
        self.ask(
            "initialize",
            {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client},
        )
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise ServerIsGone from None

    def ask(self, method, params):
        self.asked += 1
        self.send({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params})
        line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise ServerIsGone
        answer = json.loads(line)
        if answer.get("id") != self.asked or "result" not in answer:
            raise SystemExit(f"not an answer: {answer}")
        return answer["result"]

    def call(self, tool, **arguments):
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        content = result["structuredContent"]
        if result["isError"]:
            raise Refused(content["error"])
        return content["item"]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def now():
    return time.time_ns() // 1000


class Work:
    """An item that is claimed, and what is said about it."""

    def __init__(self, item):
        self.id = item["id"]
        self.renewed(item)

    def renewed(self, item):
        self.fence = item["claim"]["fence"]
        end = datetime.fromisoformat(item["claim"]["expires_at"].replace("Z", "+00:00"))
        self.until = (end - EPOCH).total_seconds() * 1_000_000

    def say(self, event):
        """Says it, if it is so: whoever has no lease does not work."""
        moment = now()
        if moment >= self.until:
            raise TooLate
        log(moment, event, self.id)

    def names(self):
        return {"id": self.id, "fence": self.fence}


def log(moment, event, item):
    line = f"{moment} {event} {os.environ['FLEET_RUN']} {item}\n"
    file = os.open(os.environ["FLEET_LOG"], os.O_WRONLY | os.O_APPEND)
    os.write(file, line.encode())
    os.close(file)


def work_on(server, work, fate, chance):
    work.say("begin")
    for step in range(3):
        time.sleep(chance.uniform(0.01, 0.06))
        work.say("step")
        if fate == "command":
            work.say("dies")
            os.kill(os.getpid(), signal.SIGKILL)
        if fate == "jerry":
            log(now(), "killed-server-mcp", "-")
            server.process.kill()
        if fate == "failure":
            work.say("end")
            server.call("release", **work.names(), note="it did not work out")
            return
        if step == 1:
            work.renewed(server.call("note", **work.names(), text="half of it is done"))
    work.say("end")
    server.call("complete", **work.names())
    log(now(), "ack", work.id)


def main():
    chance = random.Random(int(os.environ["FLEET_SEED"]))
    fate = os.environ["FLEET_FATE"]
    server = Server(os.environ["FLEET_JERRY"])
    fated = chance.randrange(ITEMS)
    done = 0
    for turn in range(ITEMS):
        try:
            work = Work(server.call("claim"))
            work_on(server, work, fate if turn == fated else "none", chance)
        except TooLate:
            continue
        except ServerIsGone:
            server.process.wait()
            return 4
        except Refused as refused:
            if refused.code == "nothing_ready":
                break
            if refused.code not in ("stale_fence", "claimed"):
                raise
            continue
        done += 1
    server.end()
    return 0 if done else 7


if __name__ == "__main__":
    sys.exit(main())
