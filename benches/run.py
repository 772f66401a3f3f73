"""Prints what recording and replaying cost, as one table in Markdown. Started by `cargo xtask bench`.

Ratios come from interleaved runs: untraced, recorded, floor, untraced, … Processor time is that of the
program, the recorder and every helper, until the file is complete. The floors are those of
`../shared/bench/floor/floor.py` where that folder stands beside the checkout, else of `floor/floor.py`.
"""
import argparse
import pathlib
import signal
import sys
import tempfile

import containers
import killing
import machine
import peers
import programs
import recording
import replay_table
import replaying
import running
import serving_table
from figures import milliseconds, ratio, significant, whole
from recording import MEMORY_LIMIT, added_memory
from running import Failed
from table import Row, markdown, not_measured, progress

SECTIONS = ("recording", "outside", "start-up", "memory", "programs", "replay", "page", "lsp", "killed", "peers")


class Bench:
    """What is measured, where and how thoroughly."""

    def __init__(self, options, folder):
        self.retrostep = pathlib.Path(options.retrostep)
        self.cache = pathlib.Path(options.cache)
        self.folder = folder
        self.quick = options.quick
        self.events = options.events or (500000 if options.quick else 100000000)
        self.kills = options.kills or (3 if options.quick else 21)
        self.rounds = options.rounds or (2 if options.quick else 5)
        self.starts = 5 if options.quick else 21
        self.opens = 3 if options.quick else 21
        self.samples = 20 if options.quick else 300
        self.recordings = 6 if options.quick else 50
        self.served_events = 300000 if options.quick else 10000000
        self.first_questions = 1 if options.quick else 5
        self.patience = 5.0 if options.quick else 90.0
        self.untraced_seconds = 0.1 if options.quick else 1.0
        self.recorded_seconds = 0.5 if options.quick else 12.0
        found = machine.pythons(self.cache)
        self.pythons = [python for python in found if options.python in (None, python.name, python.version)]
        # What is not asked of every interpreter is asked of the newest one.
        self.chosen = self.pythons[-1:]
        self.wanted = options.only or ""


def events_per_order(bench, python):
    orders = 20000
    running.record(bench, python.path, replaying.SCRIPT, orders, orders)
    return running.facts(bench, bench.folder / "bench.retro")["events"] / orders


def real_run(bench, python, events, orders, rare):
    """A recording of `orders.py` with about so many events, and the row about making it."""
    out = bench.folder / ("orders-%d.retro" % events)
    progress("recording %s events on %s" % (whole(events), python.name))
    added, told, (untraced, recorded) = added_memory(
        bench, python, replaying.SCRIPT, [orders, rare], timeout=7200.0, out=out)
    facts = running.facts(bench, out)
    row = Row(
        "a real run that makes %s events (orders.py), CPython %s" % (whole(facts["events"]), python.name),
        "at most 1.5 bytes per event and 64 MB",
        "CPU %s, wall %s, %s per event, %s bytes per event; %s" % (
            ratio(recorded.cpu / untraced.cpu), ratio(recorded.wall / untraced.wall),
            milliseconds((recorded.cpu - untraced.cpu) / facts["events"]),
            significant(facts["bytes"] / facts["events"]), told),
        [facts["bytes"] <= 1.5 * facts["events"], added <= MEMORY_LIMIT])
    return out, row


def replay_rows(bench):
    python = bench.chosen[-1]
    measured, found = [], []
    per_order = events_per_order(bench, python)
    rare = max(round(bench.events / per_order / 100), 2)
    for events in (bench.events // 10, bench.events):
        orders = round(events / per_order)
        try:
            path, row = real_run(bench, python, events, orders, rare)
        except Failed as error:
            return [*found, not_measured("replay at %s events" % whole(events), "see the targets", str(error))]
        found.append(row)
        measured.append(replaying.Replay(bench, path, orders, rare))
    # Both in turn, so that what else the machine does meets both.
    for kinds in zip(*[replay.kinds() for replay in measured]):
        for replay, (name, action) in zip(measured, kinds):
            replay.measure(name, action)
    return found + replay_table.rows(measured[1], measured[0])


def sections(bench):
    """The rows of each section that is wanted, in the order of the table."""
    measured = peers.measure(bench) if bench.wanted in "peers" else peers.Peers()
    if bench.wanted in "recording":
        yield from recording.rows(bench, measured)
    else:
        for minor in measured.said_ratios:
            yield Row("peers, CPU over untraced, CPython 3.%d, wa / wb / wc" % minor, "", "", [],
                      "", measured.ratios(minor))
            yield Row("peers, bytes per event, CPython 3.%d, wa / wb / wc" % minor, "", "", [],
                      "", measured.sizes(minor))
    for name, rows in (
        ("outside", recording.outside_rows), ("start-up", recording.start_rows),
        ("memory", recording.memory_rows), ("programs", programs.rows), ("replay", replay_rows),
        ("page", lambda bench: [containers.row(bench, bench.chosen[-1])]), ("lsp", serving_table.rows),
        ("killed", killing.rows),
    ):
        if bench.wanted in name:
            yield from rows(bench)


def main():
    parser = argparse.ArgumentParser(prog="cargo xtask bench", description=__doc__.splitlines()[0])
    parser.add_argument("retrostep", help=argparse.SUPPRESS)
    parser.add_argument("--cache", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", metavar="WORD", help="only the sections with this word in their name: "
                        + ", ".join(SECTIONS))
    parser.add_argument("--python", metavar="VERSION", help="only this interpreter, such as 3.11")
    parser.add_argument("--quick", action="store_true", help="small sizes: everything, in minutes")
    parser.add_argument("--events", type=int, metavar="N", help="replay a recording of so many events, and "
                        "one of a tenth; 100,000,000 if not said")
    parser.add_argument("--rounds", type=int, metavar="N", help="interleaved rounds of each recording")
    parser.add_argument("--kills", type=int, metavar="N", help="random moments to kill at; 21 if not said")
    options = parser.parse_args()
    if options.only and not any(options.only in name for name in SECTIONS):
        parser.error("no section has %r in its name; they are: %s" % (options.only, ", ".join(SECTIONS)))
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(options, pathlib.Path(name))
        if not bench.pythons:
            parser.error("no such Python from 3.9 to 3.14 was found")
        # What was measured until then is printed all the same.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
        facts = list(machine.facts(bench.pythons))
        rows = []
        try:
            for row in sections(bench):
                rows.append(row)
        finally:
            print("\n".join(facts), "", markdown(rows), sep="\n", flush=True)


if __name__ == "__main__":
    main()
