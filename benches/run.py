"""Prints what recording and replaying cost, as one table. Started by `cargo xtask bench`.

Usage: run.py RETROSTEP [--python EXECUTABLE]… [--rounds N]

Recording: CPU seconds of the program and its recorder together, less those of an empty program, as a
ratio to the same program unrecorded; beside it the floors of `../shared/bench/floor/floor.py` where
that folder stands beside the checkout, else of `floor.py` here, measured in the same run.
Replaying: milliseconds from a request to its answer over stdio.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
WORKLOADS = {"wa": 20, "wb": 20, "wc": 20}


def pythons():
    found = {}
    places = list(pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python"))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if not folder.endswith("shims"):
            places += pathlib.Path(folder).glob("python3.[0-9]*")
    for place in places:
        ask = [str(place), "-c", "import sys; print(*sys.version_info[:2])"]
        answer = subprocess.run(ask, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        version = tuple(map(int, answer.stdout.split()))
        if (3, 9) <= version <= (3, 14):
            found.setdefault(version, str(place))
    return [found[version] for version in sorted(found)]


def cpu_seconds(command):
    """The CPU time of a command and all it waited for."""
    with open(os.devnull, "w") as nowhere:
        child = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = status
    if status != 0:
        raise SystemExit("%s ended with status %d" % (" ".join(command), status))
    return usage.ru_utime + usage.ru_stime


def best(command, rounds):
    return min(cpu_seconds(command) for _ in range(rounds))


def floors(python):
    place = HERE.parent.parent / "shared/bench/floor/floor.py"
    script = place if place.exists() else HERE / "floor.py"
    run = subprocess.run([python, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode != 0:
        return {}
    return {line.split()[0]: " ".join(re.findall(r"(?:noop|deltas|mutation) [0-9.]+x", line))
            for line in run.stdout.splitlines()}


def recording(retrostep, python, folder, rounds):
    floor = floors(python)
    empty = folder / "empty.py"
    empty.write_text("pass\n")
    out = str(folder / "bench.retro")

    def record(*command):
        if os.path.exists(out):
            os.remove(out)
        return cpu_seconds([retrostep, "record", "--out", out, "--", python, *command])

    empty_plain = best([python, str(empty)], rounds)
    empty_recorded = min(record(str(empty)) for _ in range(rounds))
    for name, repeats in WORKLOADS.items():
        script = str(HERE / (name + ".py"))
        plain = best([python, script, str(repeats)], rounds) - empty_plain
        recorded = min(record(script, str(repeats)) for _ in range(rounds)) - empty_recorded
        answer = subprocess.run([retrostep, "info", "--json", out], stdout=subprocess.PIPE, check=True)
        facts = json.loads(answer.stdout)
        version = subprocess.check_output([python, "-c", "import platform; print(platform.python_version())"], text=True).strip()
        print("%-8s %s  %8.1f ms  %5.1fx  %10d events  %5.0f ns/event  %5.2f bytes/event   floors: %s" % (
            version, name, plain * 1e3, recorded / plain, facts["events"],
            (recorded - plain) * 1e9 / facts["events"], facts["bytes"] / facts["events"],
            floor.get(name, "could not be built")), flush=True)


class Client:
    """A DAP client that measures."""

    def __init__(self, retrostep):
        self.process = subprocess.Popen([retrostep, "dap"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.sequence = 0

    def send(self, command, arguments):
        self.sequence += 1
        message = {"seq": self.sequence, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()
        return self.sequence

    def receive(self):
        length = 0
        while True:
            header = self.process.stdout.readline().strip()
            if not header:
                return json.loads(self.process.stdout.read(length))
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)

    def wait(self, wanted):
        while True:
            message = self.receive()
            if message["type"] == "response" and not message["success"]:
                raise SystemExit("refused: %s" % message)
            if wanted(message):
                return message.get("body", {})

    def request(self, command, arguments):
        sequence = self.send(command, arguments)
        return self.wait(lambda message: message.get("request_seq") == sequence)

    def move(self, command, arguments):
        self.send(command, arguments)
        return self.wait(lambda message: message.get("event") == "stopped")


def timed(times, action):
    start = time.perf_counter()
    result = action()
    times.append((time.perf_counter() - start) * 1e3)
    return result


def replaying(retrostep, python, folder):
    out = str(folder / "replay.retro")
    script = str(HERE / "wc.py")
    subprocess.run([retrostep, "record", "--out", out, "--", python, script, "20"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    client = Client(retrostep)
    client.request("initialize", {"adapterID": "retrostep"})
    times = {}

    def measure(name, action):
        return timed(times.setdefault(name, []), action)

    def attach():
        client.send("attach", {"recording": out})
        client.send("configurationDone", {})
        client.wait(lambda message: message.get("event") == "stopped")

    measure("open and stop", attach)
    thread = {"threadId": 1}
    facts = client.request("retrostep/position", {})
    lines = open(script).read().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if "places[word].append" in text)
    rare = next(n for n, text in enumerate(lines, 1) if "rows.append" in text)
    client.request("setBreakpoints", {"source": {"path": script}, "breakpoints": [{"line": line}]})
    for part in range(200):
        measure("seek", lambda: client.move("retrostep/seek", {"position": facts["end"] * part // 200}))
        stack = measure("stackTrace", lambda: client.request("stackTrace", thread))
        frame = stack["stackFrames"][0]["id"]
        scopes = client.request("scopes", {"frameId": frame})["scopes"]
        measure("variables", lambda: client.request(
            "variables", {"variablesReference": scopes[0]["variablesReference"]}))
        for command in ("stepIn", "next", "stepBack", "retrostep/stepBackInto", "reverseContinue"):
            measure(command, lambda: client.move(command, thread))
    client.request("setBreakpoints", {"source": {"path": script}, "breakpoints": [{"line": rare}]})
    for part in range(50):
        client.move("retrostep/seek", {"position": facts["end"] * part // 50})
        measure("reverseContinue, far", lambda: client.move("reverseContinue", thread))
    client.request("disconnect", {})
    print("\nreplaying %d events, milliseconds over stdio: p50, p99, most" % facts["end"])
    for name, values in times.items():
        values.sort()
        p99 = values[min(len(values) - 1, len(values) * 99 // 100)]
        print("  %-24s %7.2f %7.2f %7.2f" % (name, statistics.median(values), p99, values[-1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("retrostep")
    parser.add_argument("--python", action="append")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    chosen = options.python or pythons()
    if not chosen:
        sys.exit("no Python from 3.9 to 3.14 was found")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        print("python   workload  untraced  recorded (CPU of program and recorder over untraced)")
        for python in chosen:
            recording(options.retrostep, python, folder, options.rounds)
        replaying(options.retrostep, chosen[-1], folder)


main()
