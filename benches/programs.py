"""Programs of special shapes: large containers, deep stacks, many objects, threads and tasks."""
import running
from figures import megabytes, median, milliseconds, ratio, significant, whole
from recording import MEMORY_LIMIT, added_memory
from running import EMPTY, PROGRAMS, Failed
from table import Row, not_measured, progress

# What it is, the program, and its arguments in a full and in a quick run.
SHAPES = (
    ("a list of a million, changed in place a million times", "large_list", (1000000, 1000000), (20000, 1000000)),
    ("recursion, 10,000 frames deep", "recursion", (20, 10000), (2, 10000)),
    ("a million instances", "instances", (1000000,), (50000,)),
    ("16 threads", "threads", (20000, 16), (1000, 16)),
    ("1,000 asyncio tasks", "tasks", (100, 1000), (5, 1000)),
)
LIMIT = 300.0
TARGET = "memory at most 64 MB"


def rows(bench):
    found = []
    for python in bench.chosen:
        for what, name, full, quick in SHAPES:
            arguments = quick if bench.quick else full
            title = "%s, CPython %s" % (what, python.name)
            progress(title)
            try:
                found.append(shape_row(bench, python, title, PROGRAMS / (name + ".py"), arguments))
            except Failed as error:
                found.append(not_measured(title, TARGET, str(error)))
        found.append(proportion_row(bench, python))
    return found


def cost(bench, python, script, arguments, rounds):
    """Medians of the untraced and the added seconds of processor time, and what the recording holds."""
    plain, added = [], []
    for _ in range(rounds):
        empty = running.run([python.path, EMPTY]).cpu
        empty_recorded = running.record(bench, python.path, EMPTY).cpu
        plain.append(running.run([python.path, script, *arguments]).cpu - empty)
        recorded = running.record(bench, python.path, script, *arguments, timeout=LIMIT).cpu
        added.append(recorded - empty_recorded - plain[-1])
    return median(plain), median(added), running.facts(bench, bench.folder / "bench.retro")


def shape_row(bench, python, title, script, arguments):
    plain, added, facts = cost(bench, python, script, arguments, 1 if bench.quick else 3)
    memory, _, _ = added_memory(bench, python, script, arguments, timeout=LIMIT)
    return Row(title, TARGET, "CPU %s; %s per event; %s bytes per event; %s events, untraced %s; memory %s" % (
        ratio((plain + added) / plain), milliseconds(added / facts["events"]),
        significant(facts["bytes"] / facts["events"]), whole(facts["events"]), milliseconds(plain),
        megabytes(memory)), [memory <= MEMORY_LIMIT])


def proportion_row(bench, python):
    """The same changes of a list of a million and of a thousand: how much more one change costs."""
    title = "an in-place change, list of a million against a thousand, CPython %s" % python.name
    target = "no cost in proportion to the container"
    changes = 20000 if bench.quick else 200000
    script = PROGRAMS / "large_list.py"
    try:
        _, large, _ = cost(bench, python, script, (changes, 1000000), 3)
        _, making, _ = cost(bench, python, script, (1, 1000000), 3)
        _, small, _ = cost(bench, python, script, (changes, 1000), 3)
    except Failed as error:
        return not_measured(title, target, str(error))
    each = max(large - making, 0) / changes
    return Row(title, target, "%s a change against %s (%s)" % (
        milliseconds(each), milliseconds(small / changes), ratio(each / (small / changes))),
        [each <= 2 * small / changes])
