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
        lost, problems = [], []
        for _ in range(kills):
            try:
                lost.append(kill_once(bench, python, victim))
            except (Refused, Slow, ValueError) as error:
                problems.append(str(error))
        worst = max(lost, default=(0, 0))
        told = "%d of %d opened; lost at most %s before the kill (%s numbers)" % (
            len(lost), kills, milliseconds(worst[0]), whole(max((count for _, count in lost), default=0)))
        if problems:
            told += "; first problem: %s" % problems[0]
        found.append(Row("SIGKILL of %s at %d random moments" % (victim, kills), TARGET, told,
                         [not problems and worst[0] <= 50e-3]))
    return found


def kill_once(bench, python, victim):
    """Seconds and numbers between the last recorded number and the last one printed."""
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
    return (moments[last] - moments.get(number, moments[1])) / 1e9, last - number


def recorded_number(bench, recording):
    """The counter's value at the recording's end."""
    with Client(bench.retrostep, timeout=60.0) as client:
        client.open(recording, position="end")
        _, at = client.ask("retrostep/position", {})
        frames = client.ask("stackTrace", {"threadId": at.get("threadId", 1)})[1]["stackFrames"]
        frame = next((frame["id"] for frame in frames if frame["name"] == "count"), None)
        if frame is None:
            raise ValueError("the recording ends before the counter")
        return int(client.ask("evaluate", {"expression": "number", "frameId": frame})[1]["result"])
