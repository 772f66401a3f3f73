"""A folder as an editor has it open: a large program, small ones, their recordings, and a replay."""
import json
import math
import os
import random
import time

import dap
import running
from figures import whole
from generated import Program
from table import progress

LINES = 10000
PART_LINES = 300
# Each function's argument: how often its loop goes round.
COUNT = 12


class Workspace:
    """A folder with a program of 10,000 lines, small programs that import it, and their recordings: the
    newest is one of the large program with as many events as wanted."""

    def __init__(self, bench, python):
        self.bench, self.python = bench, python
        self.folder = (bench.folder / "workspace").resolve()
        self.recordings = self.folder / ".retrostep/recordings"
        (self.folder / ".git").mkdir(parents=True)
        self.recordings.mkdir(parents=True)
        self.program = Program(LINES)
        self.path = self.folder / "ledger.py"
        self.path.write_text(self.program.text)
        self.parts = [self.folder / ("part_%02d.py" % number) for number in range(bench.recordings - 1)]
        part = Program(PART_LINES, "ledger")
        for path in self.parts:
            path.write_text(part.text)
        # Outside of the library until somebody makes it a new one there.
        self.spare = bench.folder / "spare.retro"

    def record(self):
        """Records all; raises Failed."""
        for path in self.parts:
            progress("recording %s" % path.name)
            self._record(path, 1, self.recordings / (path.stem + ".retro"))
        counted = []
        for rounds in (2, 1):
            self._record(self.path, rounds, self.spare)
            counted.append(running.facts(self.bench, self.spare)["events"])
        each = counted[0] - counted[1]
        self.rounds = math.ceil(self.bench.served_events / each)
        progress("recording %s rounds of %s events" % (whole(self.rounds), whole(each)))
        self.recording = self.recordings / "ledger.retro"
        self._record(self.path, self.rounds, self.recording)
        self.end = running.facts(self.bench, self.recording)["events"]

    def _record(self, path, rounds, out):
        running.record(self.bench, self.python.path, path, rounds, COUNT, out=out, folder=self.folder)

    def places(self, count):
        """Random positions, each with the line there (from 0), and the number of the thread."""
        with dap.Client(self.bench.retrostep) as client:
            client.open(self.recording, position=0)
            found = []
            while len(found) < count:
                # All functions have been called by then.
                position = random.randrange(self.end * 2 // self.rounds, self.end)
                _, at = client.move("retrostep/seek", {"position": position})
                if at.get("source", {}).get("path") == str(self.path):
                    found.append((position, at["line"] - 1))
            published = json.loads((self.folder / ".retrostep/replay.json").read_text())
        self.close_replay()
        return found, published["thread"]

    def publish(self, position, thread):
        """Tells where the replay stands, as its process does; the moment when that was known."""
        half = self.folder / (".retrostep/replay.json.%d" % os.getpid())
        half.write_text(json.dumps({
            "recording": str(self.recording), "position": position, "end": self.end, "thread": thread,
            "process_id": os.getpid()}))
        moment = time.perf_counter()
        half.rename(half.with_name("replay.json"))
        return moment

    def close_replay(self):
        (self.folder / ".retrostep/replay.json").unlink(missing_ok=True)
