"""The rows about replaying one recording."""
from figures import Spread, latency, milliseconds, significant, whole
from replaying import MOVES
from table import Row, not_measured

NEAR = "cold p50 < 1 ms, p99 < 5 ms; decoded p50 < 20 µs beyond an empty request"
FAR = "p99 < 5 ms"


def wrong(samples):
    return "; WRONG %d times: %s" % (len(samples.wrong), samples.wrong[0]) if samples.wrong else ""


def rows(replay, smaller):
    """The rows of one recording; `smaller` has a tenth of its events."""
    events = "at %s events" % whole(replay.end)
    empty = Spread(replay.empty)
    floor = "an empty request: %s" % milliseconds(empty.median)
    opened, stop, informed = map(Spread, (replay.opened, replay.first_stop, replay.informed))
    found = [
        Row("opening %s events, p50 / p99 / most" % whole(replay.end), "at most 20 ms",
            "start of the adapter to first stop %s; `attach` to first stop %s; `retrostep info` %s" % (
                latency(opened), latency(stop), latency(informed)), [opened.median <= 20e-3]),
        Row("reading it, resident at most", "at most 100 MB", significant(replay.resident / 1e6) + " MB",
            [replay.resident <= 100e6]),
    ]
    for name in (*[name for name, _ in MOVES], "stack page", "locals", "history page"):
        found.append(near_row(replay, name, "%s %s, p50 / p99 / most" % (name, events), empty.median, floor))
    for name, what in (
        ("line", "previous hit of a line"), ("function", "previous hit of a function"),
        ("exception", "previous raise"), ("data", "previous write of a variable"),
        ("20 breakpoints", "start over 20 breakpoints that never hit"),
    ):
        found.append(far_row(replay, name, "reverseContinue to the %s %s, p50 / p99 / most" % (what, events), floor))
    found.append(condition_row(replay, events))
    found.append(stop_row(replay, events, floor))
    found.append(overview_row(replay, events, floor))
    found.append(growth_row(replay, smaller))
    return found


def near_row(replay, name, what, empty, floor):
    if name in replay.problems:
        return not_measured(what, NEAR, replay.problems[name], floor=floor)
    samples = replay.samples[name]
    cold, first, again = samples.cold(), Spread(samples.first), Spread(samples.again)
    return Row(what, NEAR, "cold, with the jump there, %s; after the jump %s; decoded %s" % (
        latency(cold), latency(first), latency(again)),
        [cold.median < 1e-3 and cold.p99 < 5e-3, again.median - empty < 20e-6], floor)


def far_row(replay, name, what, floor):
    if name in replay.problems:
        return not_measured(what, FAR, replay.problems[name], floor=floor)
    samples = replay.samples[name]
    first = Spread(samples.first)
    again = "; decoded %s" % latency(Spread(samples.again)) if samples.again else ""
    return Row(what, FAR, latency(first) + again + wrong(samples),
               [first.p99 < 5e-3 and not samples.wrong], floor)


def condition_row(replay, events):
    what, target = "reverseContinue with a condition %s" % events, "at least 3 million hits tested per second and core"
    if "condition" in replay.problems:
        return not_measured(what, target, replay.problems["condition"])
    hits, spent, used = replay.tested
    rate = hits / max(used, 0.01)
    return Row(what, target, "%s hits in %s, %s of processor time: %s million per second and core%s" % (
        whole(hits), milliseconds(spent), milliseconds(used), significant(rate / 1e6),
        wrong(replay.samples["condition"])), [rate >= 3e6 and not replay.samples["condition"].wrong])


def stop_row(replay, events, floor):
    what, target = "a whole stop (step, stack, scopes, variables) %s, p50 / p99 / most" % events, "p99 < 10 ms"
    if "whole stop" in replay.problems:
        return not_measured(what, target, replay.problems["whole stop"], floor=floor)
    samples = replay.samples["whole stop"]
    cold = samples.cold()
    return Row(what, target, "cold, with the jump there, %s; after the jump %s; decoded %s" % (
        latency(cold), latency(Spread(samples.first)), latency(Spread(samples.again))), [cold.p99 < 10e-3], floor)


def overview_row(replay, events, floor):
    what, target = "timeline overview, 2,000 buckets, any range, %s, p50 / p99 / most" % events, "p99 < 10 ms"
    if "overview" in replay.problems:
        why = replay.problems["overview"]
        return not_measured(what, target, "not available" if why.startswith("unknown request") else why, floor=floor)
    first = Spread(replay.samples["overview"].first)
    return Row(what, target, latency(first), [first.p99 < 10e-3], floor)


def growth_row(replay, smaller):
    """The worst of all latencies against those of a tenth of the events."""
    what, target = "growth, ten times the events", "at most 1.2 times any latency"
    def kinds(one):
        return {"opening": one.opened, **{
            name: [jump + first for jump, first in zip(samples.jump, samples.first)]
            for name, samples in one.samples.items() if samples.first}}
    before, after = kinds(smaller), kinds(replay)
    factors = {name: (Spread(after[name]).median / Spread(before[name]).median,
                      Spread(after[name]).p99 / Spread(before[name]).p99)
               for name in after if name in before}
    told = ", ".join("%s %.2f/%.2f" % (name, *factors[name]) for name in factors)
    return Row("%s (%s against %s), p50 / p99" % (what, whole(replay.end), whole(smaller.end)), target,
               told + "; judged by p50", [factors[name][0] <= 1.2 for name in factors])
