"""Kills recorded programs and recorders at random moments and looks at what is left."""
import os
import random
import signal
import subprocess
import time

import running
from dap import Client, Refused, Slow
from figures import milliseconds, whole
from running import PROGRAMS
from table import Row, progress

SCRIPT = PROGRAMS / "counter.py"
TARGET = "every file opens and holds all up to at most 50 ms (or one block) before the kill"
# Lines and writes for each number, where nothing was recorded to tell it from.
EVENTS_PER_NUMBER = 4
VICTIMS = ("the program", "the recorder", "both")


def rows(bench):
    """One row for each victim; together as many kills as asked for."""
    found = []
    python = bench.chosen[-1]
    for turn, victim in enumerate(VICTIMS):
        kills = (bench.kills + len(VICTIMS) - 1 - turn) // len(VICTIMS)
        if not kills:
            continue
        progress("killing %s %d times" % (victim, kills))
        lost, problems, block = [], [], 0
        for _ in range(kills):
            try:
                lost.append(kill_once(bench, python, victim))
                block = block_events(bench.folder / "killed.retro")
            except (Refused, Slow, ValueError) as error:
                problems.append(str(error))
        told = "%d of %d opened" % (len(lost), kills)
        if lost:
            seconds, events = zip(*lost)
            told += "; lost at most %s before the kill, %s events (a block has %s)" % (
                milliseconds(max(seconds)), whole(max(events)), whole(block))
        if problems:
            told += "; first problem: %s" % problems[0]
        found.append(Row("SIGKILL of %s at %d random moments" % (victim, kills), TARGET, told, [
            not problems and all(time <= 50e-3 or events <= block for time, events in lost)]))
    return found


def block_events(recording):
    """The events of a full block, as the file's header says (`docs/format.md`, 2.1)."""
    return int.from_bytes(recording.read_bytes()[48:52], "little")


def kill_once(bench, python, victim):
    """Seconds and about how many events between the last recorded number and the last one printed."""
    recording, printed = bench.folder / "killed.retro", bench.folder / "printed.txt"
    recording.unlink(missing_ok=True)
    with open(printed, "wb") as output:
        recorder = subprocess.Popen(
            [str(bench.retrostep), "record", "--quiet", "--out", str(recording), "--", python.path, str(SCRIPT)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL)
    while not printed.stat().st_size:
        if recorder.poll() is not None:
            raise ValueError("the program did not start")
        time.sleep(0.005)
    time.sleep(random.uniform(0.0, 1.5))
    programs = [process for process in running.family(recorder.pid) if process != recorder.pid]
    if victim != "the program":
        os.kill(recorder.pid, signal.SIGKILL)
    if victim != "the recorder":
        for process in programs:
            os.kill(process, signal.SIGKILL)
    at_kill = time.monotonic_ns()
    recorder.wait()
    # A program whose recorder is gone runs on: what it prints after the kill does not count.
    for process in programs:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            continue
    moments = {}
    for line in printed.read_text().splitlines(keepends=True):
        words = line.split()
        if line.endswith("\n") and int(words[1]) <= at_kill:
            moments[int(words[0])] = int(words[1])
    last = max(moments)
    number = recorded_number(bench, recording)
    if number >= last:
        return 0.0, 0
    per_number = running.facts(bench, recording)["events"] / number if number else EVENTS_PER_NUMBER
    return (moments[last] - moments.get(number, moments[1])) / 1e9, round((last - number) * per_number)


def recorded_number(bench, recording):
    """The counter's value at the recording's end; 0 if that is before it has one."""
    with Client(bench.retrostep, timeout=60.0) as client:
        client.open(recording, position="end")
        _, at = client.ask("retrostep/position", {})
        frames = client.ask("stackTrace", {"threadId": at.get("threadId", 1)})[1]["stackFrames"]
        frame = next((frame["id"] for frame in frames if frame["name"] == "count"), None)
        if frame is None:
            return 0
        try:
            return int(client.ask("evaluate", {"expression": "number", "frameId": frame})[1]["result"])
        except Refused:
            return 0
