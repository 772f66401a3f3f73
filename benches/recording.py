"""What recording costs: processor time, wall clock, size, start-up, code outside the scope, memory."""
import os
import pathlib
import re
import subprocess
import time

import running
from figures import megabytes, median, milliseconds, ratio, significant, whole
from running import EMPTY, HERE, PROGRAMS, Failed, Memory
from table import Row, not_measured, progress

WORKLOADS = ("wa", "wb", "wc")
SIZED = (*WORKLOADS, "noise")
CPU_LIMITS = {11: (6, 10, 5.5), 12: (4.8, 8, 3.8), 13: (4.8, 8, 3.8), 14: (4.8, 8, 3.8)}
SIZE_LIMITS = (1.5, 1.5, 1.5, 3.5)
MEMORY_LIMIT = 64e6
START_LIMIT = 5e-3


class Cost:
    """One program on one interpreter: what it costs recorded and not, round by round."""

    def __init__(self):
        self.cpu, self.wall, self.thread = [], [], []
        self.per_event = []
        self.untraced = 0.0
        self.events = self.bytes = self.traced = 0


def measure(bench, python, names, rounds, with_floor):
    """Costs by name and the floors, from interleaved runs; what fails is told in place of its cost."""
    costs, problems, repeats = {}, {}, {}
    for name in names:
        try:
            repeats[name] = calibrated(bench, python, name)
            costs[name] = Cost()
        except Failed as error:
            problems[name] = str(error)
    floors = {}
    for turn in range(rounds):
        progress("recording on %s, round %d of %d" % (python.name, turn + 1, rounds))
        empty = running.run([python.path, EMPTY])
        empty_recorded = running.record(bench, python.path, EMPTY)
        for name in [name for name in names if name not in problems]:
            script = PROGRAMS / (name + ".py")
            untraced, traced = repeats[name]
            try:
                plain = running.run([python.path, script, untraced])
                recorded = running.record(bench, python.path, script, traced)
                facts = running.facts(bench, bench.folder / "bench.retro")
            except Failed as error:
                problems[name] = str(error)
                continue
            cost = costs[name]
            cost.untraced = plain.cpu - empty.cpu
            base = cost.untraced / untraced
            each = (recorded.cpu - empty_recorded.cpu) / traced
            cost.cpu.append(each / base)
            cost.wall.append((recorded.wall - empty_recorded.wall) / traced
                             / ((plain.wall - empty.wall) / untraced))
            cost.thread.append(recorded.thread / traced / (plain.thread / untraced))
            cost.events, cost.bytes = facts["events"], facts["bytes"]
            cost.per_event.append((each - base) * traced / cost.events)
        if with_floor:
            for name, kind, value in floor_round(python):
                floors.setdefault(name, {}).setdefault(kind, []).append(value)
    for name in costs:
        if name not in problems:
            costs[name].traced = traced_events(python, name) * repeats[name][1]
    return costs, problems, floors


def calibrated(bench, python, name):
    """How many repeats take the time of an untraced run, and how many that of a recorded one."""
    script = PROGRAMS / (name + ".py")
    few = 20
    plain = running.run([python.path, script, few]).thread / few
    recorded = running.record(bench, python.path, script, few).cpu / few
    untraced = max(few, int(bench.untraced_seconds / plain))
    return untraced, min(untraced, max(few, int(bench.recorded_seconds / recorded)))


def floor_round(python):
    """Each workload, kind of tracer and ratio, of one run; nothing where none can be built.

    The floors that stand beside the checkout, or else those here, which build on every interpreter.
    """
    for script in (HERE.parent.parent / "shared/bench/floor/floor.py", HERE / "floor/floor.py"):
        if not script.exists():
            continue
        # A distribution's headers include others by their path from the folder above.
        headers = dict(os.environ, CPATH=str(pathlib.Path(python.path).parent.parent / "include"))
        done = subprocess.run([python.path, str(script)], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, env=headers)
        for line in done.stdout.splitlines():
            for kind, value in re.findall(r"(noop|deltas|mutation) ([0-9.]+)x", line):
                yield line.split()[0], kind, float(value)
        if done.returncode == 0:
            return


def traced_events(python, name):
    """The lines, calls, returns and exceptions of one repeat, as `sys.settrace` reports them."""
    counter = subprocess.run([python.path, str(HERE / "events.py"), str(PROGRAMS / (name + ".py"))],
                             stdout=subprocess.PIPE, text=True, check=True)
    return int(counter.stdout)


def told_floors(floors, names):
    kinds = ("noop", "deltas", "mutation")
    told = []
    for kind in kinds:
        values = [floors.get(name, {}).get(kind) for name in names]
        if all(values):
            told.append("%s %s" % (kind, " / ".join(ratio(median(value)) for value in values)))
    return "; ".join(told) or "not built: no compiler or no headers of this interpreter"


def rows(bench, peers):
    """The rows of processor time, wall clock and size for each interpreter."""
    cpu_rows, wall_rows, size_rows = [], [], []
    for python in bench.pythons:
        costs, problems, floors = measure(bench, python, SIZED, bench.rounds, True)
        good = [name for name in SIZED if name not in problems]
        limits = CPU_LIMITS.get(python.minor, ())
        told = [problems.get(name) or "%s (%s to %s)" % (
            ratio(median(costs[name].cpu)), significant(min(costs[name].cpu)), significant(max(costs[name].cpu)))
            for name in WORKLOADS]
        per_event = " / ".join(
            milliseconds(median(costs[name].per_event)) if name in good else "-" for name in WORKLOADS)
        cpu_rows.append(Row(
            "recording, CPU over untraced, CPython %s, wa / wb / wc" % python.name,
            "at most %s / %s / %s" % limits if limits else "none set",
            "%s; per event %s; untraced runs of %s" % (" / ".join(told), per_event, " / ".join(
                milliseconds(costs[name].untraced) if name in good else "-" for name in WORKLOADS)),
            [name in good and median(costs[name].cpu) <= limit for name, limit in zip(WORKLOADS, limits)],
            told_floors(floors, WORKLOADS), peers.ratios(python.minor)))
        wall_rows.append(Row(
            "wall clock, CPython %s, wa / wb / wc" % python.name, "not above the CPU of the recorded thread",
            " / ".join(problems.get(name) or "%s, thread %s" % (
                ratio(median(costs[name].wall)), ratio(median(costs[name].thread))) for name in WORKLOADS),
            [name in good and median(costs[name].wall) <= median(costs[name].thread) for name in WORKLOADS]))
        size_rows.append(Row(
            "bytes per event on disk, CPython %s, wa / wb / wc / random floats" % python.name,
            "at most 1.5 / 1.5 / 1.5 / 3.5",
            " / ".join(problems.get(name) or significant(costs[name].bytes / costs[name].events)
                       for name in SIZED)
            + "; by the events that sys.settrace reports: "
            + " / ".join(significant(costs[name].bytes / costs[name].traced) if name in good else "-"
                         for name in SIZED),
            [name in good and costs[name].bytes / costs[name].events <= limit
             for name, limit in zip(SIZED, SIZE_LIMITS)],
            "", peers.sizes(python.minor)))
    return cpu_rows + wall_rows + size_rows


def outside_rows(bench):
    """Code outside the scope: the standard library, driven by a few lines inside."""
    found = []
    for python in bench.pythons:
        limit = 1.1 if python.minor >= 12 else 3.0
        what = "code outside the scope, CPU over untraced, CPython %s" % python.name
        costs, problems, _ = measure(bench, python, ("library",), bench.rounds, False)
        if problems:
            found.append(not_measured(what, "at most %s" % limit, problems["library"]))
            continue
        value = median(costs["library"].cpu)
        found.append(Row(what, "at most %s" % limit, "%s (%s to %s); %s events in %s untraced" % (
            ratio(value), significant(min(costs["library"].cpu)), significant(max(costs["library"].cpu)),
            whole(costs["library"].events), milliseconds(costs["library"].untraced)), [value <= limit]))
    return found


def start_rows(bench):
    """What `python -c pass` takes longer when it is recorded."""
    found = []
    for python in bench.pythons:
        progress("start-up on %s" % python.name)
        plain, recorded, bare = [], [], []
        for _ in range(bench.starts):
            plain.append(running.run([python.path, "-c", "pass"]))
            recorded.append(running.record(bench, python.path, "-c", "pass"))
            start = time.perf_counter()
            subprocess.run(["/bin/true"], check=True)
            bare.append(time.perf_counter() - start)
        wall = median([one.wall for one in recorded]) - median([one.wall for one in plain])
        cpu = median([one.cpu for one in recorded]) - median([one.cpu for one in plain])
        least = min(one.wall for one in recorded) - min(one.wall for one in plain)
        found.append(Row(
            "start-up added to `python -c pass`, CPython %s" % python.name, "at most 5 ms",
            "%s; between the fastest runs %s; processor time %s (medians of %d; without the recorder %s)" % (
                milliseconds(wall), milliseconds(least), milliseconds(cpu), bench.starts,
                milliseconds(median([one.wall for one in plain]))),
            [wall <= START_LIMIT], "starting /bin/true: %s" % milliseconds(median(bare))))
    return found


def added_memory(bench, python, script, arguments, timeout=300.0, out=None):
    """What the recorder holds beyond the untraced program, in bytes and in words, and both runs.

    The peak of the recording process, plus what the program's own peak grew by. What the two share is
    resident in both and counts once.
    """
    plain = Memory()
    untraced = running.run([python.path, script, *arguments], timeout=timeout, watch=plain.watch)
    plain.stop()
    both = Memory()
    recorded = running.record(
        bench, python.path, script, *arguments, out=out, timeout=timeout, watch=both.watch)
    both.stop()
    if plain.first not in plain.peaks or both.first not in both.peaks:
        raise Failed("the program ended before its memory was seen")
    host, program = both.peaks[both.first], both.others()
    grown = program - plain.peaks[plain.first]
    shared = min(both.shared[both.first], max([0] + [
        size for process, size in both.shared.items() if process != both.first]))
    added = host + grown - shared
    return added, "%s: recorder %s, program %s more than %s, of which both share %s" % (
        megabytes(added), megabytes(host), megabytes(grown), megabytes(plain.peaks[plain.first]),
        megabytes(shared)), (untraced, recorded)


def memory_rows(bench):
    """The memory that the recorder adds, over a short and a ten times longer run."""
    found = []
    target = "at most 64 MB, however long the run"
    for python in bench.chosen:
        for name in SIZED:
            what = "memory the recorder adds, %s, CPython %s" % (name, python.name)
            progress(what)
            try:
                repeats = calibrated(bench, python, name)[1]
                script = PROGRAMS / (name + ".py")
                short, _, _ = added_memory(bench, python, script, [max(repeats // 10, 1)])
                long, told, _ = added_memory(bench, python, script, [repeats])
                found.append(Row(what, target, "%s; a tenth of the run: %s" % (told, megabytes(short)),
                                 [long <= MEMORY_LIMIT]))
            except Failed as error:
                found.append(not_measured(what, target, str(error)))
    return found
