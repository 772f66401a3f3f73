"""What the language server costs, over its standard input and output, as an editor sees it."""
import itertools
import math
import random
import shutil
import time

import running
from buffer import Buffer
from figures import whole
from lsp import CANCELLED, Client, Refused, Slow, span
from table import progress
from workspace import COUNT, LINES

VIEWPORT = 60
KINDS = ("hints of the file", "hints of a viewport", "hover", "lenses")
# How many edits are made where a replay stands before it goes elsewhere.
PER_POSITION = 10


class Samples:
    """Seconds of one kind of question, those that the server's processors worked, and sentences about
    answers that were wrong."""

    def __init__(self):
        self.seconds, self.processor, self.wrong = [], [], []


class Serving:
    """One workspace and what was measured in it."""

    def __init__(self, bench, workspace):
        self.bench, self.workspace = bench, workspace
        self.program, self.path = workspace.program, workspace.path
        # By kind and whether a replay is open.
        self.edited = {(kind, replays): Samples() for kind in KINDS for replays in (False, True)}
        self.first, self.begun, self.cancelled, self.floor = [], [], [], []
        self.refreshed, self.arrived = Samples(), Samples()
        self.viewport, self.file = Samples(), Samples()
        self.first_lenses = Samples()
        self.hints = 0
        self.noticed = []
        self.memory = {}

    def measure(self):
        random.seed(self.workspace.end)
        elsewhere = math.ceil(self.bench.samples / PER_POSITION) * len(KINDS)
        places, self.thread = self.workspace.places(self.bench.samples + elsewhere)
        for _ in range(self.bench.first_questions):
            self.ask_first()
        with Client(self.bench.retrostep, self.workspace.folder) as client:
            self.serve(client)
            self.follow(client, places)
            for _ in range(self.bench.first_questions * 2):
                self.notice(client)
            self.memory["everything"] = memory(client)
        with Client(self.bench.retrostep, self.workspace.folder) as client:
            self.open_all(client)

    def ask_first(self):
        """The first question about the recording, once to its answer, once cancelled."""
        progress("the first question about %s events" % whole(self.workspace.end))
        question = self.hints_question(range(VIEWPORT))
        with Client(self.bench.retrostep, self.workspace.folder) as client:
            self.opened(client)
            before = time.perf_counter()
            number = client.send(*question)
            begun = None
            while True:
                moment, message = client.until(lambda _: True)
                if message.get("method") == "$/progress" and begun is None:
                    begun = moment - before
                if message.get("id") == number and "method" not in message:
                    break
            self.first.append(moment - before)
        # One that is answered before it is shown cannot be cancelled either.
        if begun is None:
            return
        self.begun.append(begun)
        with Client(self.bench.retrostep, self.workspace.folder) as client:
            self.opened(client)
            number = client.send(*question)
            client.called("$/progress")
            before = time.perf_counter()
            client.tell("$/cancelRequest", {"id": number})
            try:
                client.answer(number)
            except Refused as refused:
                if refused.code == CANCELLED:
                    self.cancelled.append(time.perf_counter() - before)

    def opened(self, client):
        buffer = Buffer(self.program)
        client.version = 1
        client.open(self.path, self.program.text)
        return buffer

    def reopened(self, client):
        client.tell("textDocument/didClose", {"textDocument": {"uri": self.path.as_uri()}})
        return self.opened(client)

    def hints_question(self, lines):
        return "textDocument/inlayHint", {"textDocument": {"uri": self.path.as_uri()},
                                          "range": span((lines[0], 0), (lines[-1] + 1, 0))}

    def lenses_question(self):
        return "textDocument/codeLens", {"textDocument": {"uri": self.path.as_uri()}}

    def serve(self, client):
        """All kinds after edits while no replay is open."""
        buffer = self.opened(client)
        client.ask(*self.hints_question(range(LINES)))
        spent, lenses = client.ask(*self.lenses_question())
        self.first_lenses.seconds.append(spent)
        self.first_lenses.wrong += self.wrong_lenses(buffer, lenses)
        self.floor = [client.ask("workspace/symbol", {"query": "§"})[0] for _ in range(100)][50:]
        for kind in KINDS:
            progress("%s after an edit" % kind)
            buffer = self.reopened(client)
            for _ in range(self.bench.samples):
                self.after_edit(client, buffer, kind, None)

    def follow(self, client, places):
        """A replay at random positions: what follows it, and all kinds after edits there."""
        progress("a replay at %d positions" % len(places))
        places = iter(places)
        buffer = self.reopened(client)
        for position, line in itertools.islice(places, self.bench.samples):
            self.go(client, buffer, position, line)
        for kind in KINDS:
            progress("%s after an edit in a replay" % kind)
            buffer = self.reopened(client)
            for turn in range(self.bench.samples):
                if turn % PER_POSITION == 0:
                    position, line = next(places)
                    client.rest()
                    self.workspace.publish(position, self.thread)
                    client.called("workspace/inlayHint/refresh")
                    spent, hints = client.ask(*self.hints_question(range(len(buffer.lines))))
                    self.file.seconds.append(spent)
                    self.file.wrong += buffer.wrong_hints(
                        hints, range(len(buffer.lines)), lambda origin: self.in_replay(line, origin))
                self.after_edit(client, buffer, kind, line)
        client.rest()
        self.workspace.close_replay()
        client.called("workspace/inlayHint/refresh")

    def go(self, client, buffer, position, line):
        """The replay goes to a position where it never was; the editor shows the lines around it."""
        client.rest()
        before = self.workspace.publish(position, self.thread)
        moment, _ = client.called("workspace/inlayHint/refresh")
        self.refreshed.seconds.append(moment - before)
        first = min(max(line - VIEWPORT // 2, 0), LINES - VIEWPORT)
        lines = range(first, first + VIEWPORT)
        spent, hints = client.ask(*self.hints_question(lines))
        self.arrived.seconds.append(time.perf_counter() - before)
        self.viewport.seconds.append(spent)
        self.viewport.wrong += buffer.wrong_hints(
            hints, lines, lambda origin: self.in_replay(line, origin))

    def after_edit(self, client, buffer, kind, line):
        """One edit and one question; `line` is where the replay stands, if one is open."""
        replays = line is not None
        samples = self.edited[kind, replays]
        change = buffer.edit()
        lines = range(len(buffer.lines))
        if kind == "hints of a viewport":
            first = random.randrange(len(buffer.lines) - VIEWPORT)
            lines = range(first, first + VIEWPORT)
        question = self.lenses_question() if kind == "lenses" else self.hints_question(lines)
        if kind == "hover":
            at, column, origin = buffer.name_at_random()
            question = "textDocument/hover", {"textDocument": {"uri": self.path.as_uri()},
                                              "position": {"line": at, "character": column}}
        client.rest(0)
        worked = running.processor_time(client.process.pid)
        before = time.perf_counter()
        client.change(self.path, *change)
        after, answer = client.answer(client.send(*question))
        samples.seconds.append(after - before)
        samples.processor.append(running.processor_time(client.process.pid) - worked)
        if kind == "hover":
            samples.wrong += buffer.wrong_hover(answer, origin, replays and self.same_function(line, origin))
        elif kind == "lenses":
            samples.wrong += self.wrong_lenses(buffer, answer)
        else:
            self.hints = max(self.hints, len(answer))
            samples.wrong += buffer.wrong_hints(answer, lines, (
                lambda origin: self.in_replay(line, origin)) if replays else self.overall)

    def overall(self, origin):
        """The hint of a line that assigns a constant, where no replay is open."""
        times = self.program.calls(self.function_of(origin)[1], self.workspace.rounds, COUNT)
        return "= %s · all %s" % (self.program.constants[origin], whole(times))

    def in_replay(self, line, origin):
        """The same where the replay stands at a line: the call there may not have come to it yet."""
        if self.same_function(line, origin):
            return None
        return "= " + self.program.constants[origin]

    def function_of(self, line):
        return max((function for function in self.program.functions if function[0] <= line),
                   default=(0, ""))

    def same_function(self, line, other):
        return self.function_of(line) == self.function_of(other)

    def wrong_lenses(self, buffer, lenses):
        return buffer.wrong_lenses(lenses, self.workspace.rounds, COUNT, self.bench.recordings)

    def notice(self, client):
        """A recording comes to the library."""
        client.rest()
        new = self.workspace.recordings / "spare.retro"
        before = time.perf_counter()
        shutil.copyfile(self.workspace.spare, new)
        moment, _ = client.called("workspace/inlayHint/refresh")
        self.noticed.append(moment - before)
        client.rest()
        new.unlink()
        client.called("workspace/inlayHint/refresh")

    def open_all(self, client):
        """Asks for the lenses of all programs, each of which is shown with a recording of its own."""
        progress("opening %d recordings" % self.bench.recordings)
        for path in (*self.workspace.parts, self.path):
            client.open(path, path.read_text())
            _, lenses = client.ask("textDocument/codeLens", {"textDocument": {"uri": path.as_uri()}})
            if not lenses:
                raise Slow("%s has no lenses" % path.name)
            if path == self.workspace.parts[-1]:
                self.memory["small"] = memory(client)
        self.memory["all"] = memory(client)


def memory(client):
    """What the server holds, and the most that it held, in bytes."""
    sizes = running.status(client.process.pid)
    return sizes.get("VmRSS", 0), sizes.get("VmHWM", 0)
