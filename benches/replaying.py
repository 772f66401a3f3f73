"""What replaying costs, over the adapter's standard input and output, at random positions."""
import os
import random
import subprocess
import time

import running
from dap import Client, Refused, Slow
from figures import Spread, whole
from running import PROGRAMS
from table import progress

SCRIPT = PROGRAMS / "orders.py"
MOVES = (
    ("step over forward", "next"),
    ("step into forward", "stepIn"),
    ("step out forward", "stepOut"),
    ("step over backward", "stepBack"),
    ("step into backward", "retrostep/stepBackInto"),
    ("step out backward", "retrostep/stepBackOut"),
)

PER_PROCESS = 20


class Samples:
    """Seconds of one kind of request: `first` at a position never visited before, `jump` for the way
    there, `again` at the same position when its blocks are decoded."""

    def __init__(self):
        self.jump, self.first, self.again = [], [], []
        self.wrong = []

    def cold(self):
        """The way there included: never less than the request alone with nothing decoded."""
        return Spread([jump + first for jump, first in zip(self.jump, self.first)])


class Replay:
    """One recording of `orders.py` and what was measured on it."""

    def __init__(self, bench, recording, orders, rare):
        self.bench, self.recording, self.orders, self.rare = bench, recording, orders, rare
        self.samples, self.problems = {}, {}
        self.empty, self.opened, self.first_stop, self.informed = [], [], [], []
        self.resident = 0
        self.tested = None
        self.over = 0.0
        self.lines = SCRIPT.read_text().splitlines()
        self.end = running.facts(bench, recording)["events"]

    def line(self, text):
        return next(number for number, line in enumerate(self.lines, 1) if text in line)

    def positions(self, samples):
        """Random positions for one process: fewer when enough were sampled or the time is over."""
        for _ in range(min(PER_PROCESS, self.bench.samples - len(samples.first))):
            if self.is_over(samples):
                return
            yield random.randrange(1, self.end)

    def is_over(self, samples):
        return len(samples.first) >= 3 and time.monotonic() > self.over

    def kinds(self):
        """What can be measured: each name with the action on an adapter process of its own."""
        yield "opening", None
        for name, command in MOVES:
            yield name, lambda client, samples, command=command: self.moves(client, samples, command)
        for name, ask in (("stack page", stack_page), ("locals", local_variables),
                          ("history page", history_page)):
            yield name, lambda client, samples, ask=ask: self.asks(client, samples, ask)
        yield "line", self.to_line
        yield "function", self.to_function
        yield "exception", self.to_exception
        yield "data", self.to_data
        yield "20 breakpoints", self.to_none
        yield "condition", self.condition
        yield "whole stop", self.whole_stop
        yield "overview", self.overview

    def measure(self, name, action):
        random.seed(self.end)
        if action is None:
            self.opening()
        else:
            self.each(name, action)

    def each(self, name, action):
        """Samples in processes that soon end, so that few blocks are met twice also in a short recording."""
        progress("replay of %s events: %s" % (whole(self.end), name))
        samples = Samples()
        self.over = time.monotonic() + self.bench.patience
        try:
            while len(samples.first) < self.bench.samples and not self.is_over(samples):
                before = len(samples.first)
                with Client(self.bench.retrostep) as client:
                    client.open(self.recording, position=0)
                    frames(client, seek(client, random.randrange(1, self.end))[1])
                    action(client, samples)
                    sizes = running.status(client.process.pid)
                    self.resident = max(self.resident, sizes.get("VmHWM", 0))
                if len(samples.first) == before:
                    break
            self.samples[name] = samples
        except (Refused, Slow) as error:
            progress("not measured: %s" % error)
            self.problems[name] = str(error)

    def opening(self):
        for _ in range(self.bench.opens):
            with Client(self.bench.retrostep) as client:
                whole_start, attached = client.open(self.recording)
                self.opened.append(whole_start)
                self.first_stop.append(attached)
                self.empty += [client.ask("threads", {})[0] for _ in range(50)][25:]
            start = time.perf_counter()
            subprocess.run([str(self.bench.retrostep), "info", str(self.recording)],
                           stdout=subprocess.DEVNULL, check=True)
            self.informed.append(time.perf_counter() - start)

    def moves(self, client, samples, command):
        for position in self.positions(samples):
            jump, at = seek(client, position)
            first, _ = client.move(command, {"threadId": at["threadId"]})
            seek(client, position)
            again, _ = client.move(command, {"threadId": at["threadId"]})
            samples.jump.append(jump)
            samples.first.append(first)
            samples.again.append(again)

    def asks(self, client, samples, ask):
        for position in self.positions(samples):
            jump, at = seek(client, position)
            samples.jump.append(jump)
            samples.first.append(ask(client, at))
            samples.again.append(ask(client, at))

    def to_line(self, client, samples):
        line = self.line("checked = audit(")
        set_lines(client, [line])
        self.backward(client, samples, 0, lambda at: at.get("line") == line)

    def to_function(self, client, samples):
        client.ask("setFunctionBreakpoints", {"breakpoints": [{"name": "audit"}]})
        self.backward(client, samples, 0, lambda at: at.get("function") == "audit")

    def to_exception(self, client, samples):
        client.ask("setExceptionBreakpoints", {"filters": ["raised"]})
        self.backward(client, samples, self.rare // 2, lambda at: at.get("reason") == "exception")

    def to_data(self, client, samples):
        _, at = seek(client, self.end - self.end // 50)
        info = client.ask("dataBreakpointInfo", {"name": "failures", "frameId": frame_of_main(client, at)})[1]
        client.ask("setDataBreakpoints", {"breakpoints": [{"dataId": info["dataId"]}]})
        line = self.line("failures += 1")
        self.backward(client, samples, self.rare // 2, lambda at: at.get("line") == line)

    def backward(self, client, samples, rest, is_right):
        """Runs back from random positions and checks where that stops: at the order whose number
        leaves `rest` when divided, the nearest one before."""
        for position in self.positions(samples):
            jump, at = seek(client, position)
            before = order_number(client, at)
            spent, stop = client.move("reverseContinue", {"threadId": at["threadId"]})
            samples.jump.append(jump)
            samples.first.append(spent)
            if before is not None:
                self.check(samples, position, before, rest, stop, is_right, order_number(client, stop))
            seek(client, position)
            samples.again.append(client.move("reverseContinue", {"threadId": at["threadId"]})[0])

    def check(self, samples, position, before, rest, stop, is_right, number):
        """Notes a stop that is not where the program's own rule says."""
        nearest = (before - rest) // self.rare * self.rare + rest
        # From inside of the rare order its own stop may lie ahead.
        allowed = {nearest, nearest - self.rare} if before == nearest else {nearest}
        if min(allowed) > 0 and not (number in allowed and is_right(stop)):
            samples.wrong.append("from %d stopped at %d (order %s instead of %d)" % (
                position, stop["position"], number, nearest))

    def to_none(self, client, samples):
        first, last = self.line("    number += 1"), self.line("one = desk.revenue")
        set_lines(client, [*range(first, first + 10), *range(last, last + 10)])
        for position in self.positions(samples):
            jump, at = seek(client, min(position, self.end - self.end // 100))
            spent, stop = client.move("reverseContinue", {"threadId": at["threadId"]})
            samples.jump.append(jump)
            samples.first.append(spent)
            if stop["position"] != 0:
                samples.wrong.append("from %d stopped at %d" % (position, stop["position"]))

    def condition(self, client, samples):
        """First few hits, then so many as take about ten seconds, at most a million."""
        spent, _ = self.tested_back(client, samples, min(20000, self.orders - 1))
        hits = min(1000000, self.orders - 1, int(20000 * 10 / spent))
        spent, used = self.tested_back(client, samples, hits)
        self.tested = (hits, spent, used)

    def tested_back(self, client, samples, hits):
        """Runs back from the end to the order that is so many before the last; each order is a hit."""
        number = self.orders - hits
        line = self.line("due = 0")
        set_lines(client, [line], "number == %d" % number)
        _, at = seek(client, self.end)
        before = processor_seconds(client.process.pid)
        spent, stop = client.move("reverseContinue", {"threadId": at["threadId"]})
        used = processor_seconds(client.process.pid) - before
        if order_number(client, stop) != number or stop.get("line") != line:
            samples.wrong.append("stopped at %d instead of order %d" % (stop["position"], number))
        return spent, used

    def whole_stop(self, client, samples):
        for position in self.positions(samples):
            command = random.choice(MOVES)[1]
            jump, at = seek(client, position)
            samples.jump.append(jump)
            samples.first.append(step_and_show(client, command, at["threadId"]))
            seek(client, position)
            samples.again.append(step_and_show(client, command, at["threadId"]))

    def overview(self, client, samples):
        for _ in self.positions(samples):
            begin, end = sorted((random.randrange(self.end), random.randrange(self.end)))
            asked = {"from": begin, "to": end + 1, "buckets": 2000}
            spent, _ = client.ask("retrostep/overview", asked)
            samples.first.append(spent)
            samples.jump.append(0.0)
            samples.again.append(client.ask("retrostep/overview", asked)[0])


def seek(client, position):
    return client.move("retrostep/seek", {"position": position})


def set_lines(client, lines, condition=None):
    breakpoints = [{"line": line, **({"condition": condition} if condition else {})} for line in lines]
    client.ask("setBreakpoints", {"source": {"path": str(SCRIPT)}, "breakpoints": breakpoints})


def frames(client, at):
    return client.ask("stackTrace", {"threadId": at["threadId"], "startFrame": 0, "levels": 20})[1]["stackFrames"]


def frame_of_main(client, at):
    return next((frame["id"] for frame in frames(client, at) if frame["name"] == "main"), None)


def order_number(client, at):
    """The order that is served, or None before the first."""
    frame = frame_of_main(client, at)
    if frame is None:
        return None
    try:
        answer = client.ask("evaluate", {"expression": "number", "frameId": frame})[1]["result"]
    except Refused:
        return None
    return int(answer) if answer.isdigit() else None


def stack_page(client, at):
    return client.ask("stackTrace", {"threadId": at["threadId"], "startFrame": 0, "levels": 20})[0]


def local_variables(client, at):
    frame = frames(client, at)[0]["id"]
    spent, body = client.ask("scopes", {"frameId": frame})
    more, _ = client.ask("variables", {"variablesReference": body["scopes"][0]["variablesReference"]})
    return spent + more


def history_page(client, at):
    frame = frame_of_main(client, at)
    if frame is None:
        frame = frames(client, at)[0]["id"]
    asked = {"expression": "seed", "frameId": frame, "start": random.randrange(1000), "count": 100}
    return client.ask("retrostep/history", asked)[0]


def step_and_show(client, command, thread):
    """A step and what an editor asks for after it, until the variables have come."""
    start = time.perf_counter()
    _, at = client.move(command, {"threadId": thread})
    stack = client.ask("stackTrace", {"threadId": at["threadId"], "startFrame": 0, "levels": 20})[1]
    scopes = client.ask("scopes", {"frameId": stack["stackFrames"][0]["id"]})[1]["scopes"]
    client.ask("variables", {"variablesReference": scopes[0]["variablesReference"]})
    return time.perf_counter() - start


def processor_seconds(process):
    with open("/proc/%d/stat" % process) as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
