"""The rows about the language server."""
import serving
from dap import Refused as AdapterRefused
from figures import Spread, latency, megabytes, milliseconds, whole
from lsp import Refused, Slow
from running import Failed
from table import Row, not_measured
from workspace import LINES, Workspace

LIMITS = {"hints of the file": 20e-3, "hints of a viewport": 20e-3, "hover": 10e-3, "lenses": 50e-3}
NAMES = {
    "hints of the file": "inlay hints of all %s lines" % whole(LINES),
    "hints of a viewport": "inlay hints of %d lines" % serving.VIEWPORT,
    "hover": "a hover", "lenses": "all code lenses",
}
MEMORY_LIMIT = 150e6


def rows(bench):
    python = bench.chosen[-1]
    try:
        workspace = Workspace(bench, python)
        workspace.record()
        measured = serving.Serving(bench, workspace)
        measured.measure()
    except (Failed, Refused, AdapterRefused, Slow) as error:
        return [not_measured("the language server", "see the targets", str(error) or type(error).__name__)]
    return told(measured)


def told(measured):
    floor = "an empty request: %s" % milliseconds(Spread(measured.floor).median)
    events = whole(measured.workspace.end)
    found = []
    for replays in (False, True):
        where = "a replay at random positions" if replays else "no replay"
        for kind, limit in LIMITS.items():
            samples = measured.edited[kind, replays]
            more = "; %s hints" % whole(measured.hints) if kind == "hints of the file" and not replays else ""
            found.append(row("%s after an edit, %s events, %s" % (NAMES[kind], events, where), limit,
                             samples, floor, more))
    found.append(row("a step of the replay to `workspace/inlayHint/refresh`", 50e-3, measured.refreshed, floor))
    found.append(row("a step of the replay to the hints of %d lines, never asked there before" % serving.VIEWPORT,
                     50e-3, measured.arrived, floor, "; the request alone %s%s" % (
                         latency(Spread(measured.viewport.seconds)), wrong(measured.viewport)),
                     measured.viewport))
    file = Spread(measured.file.seconds)
    found.append(Row("inlay hints of all %s lines where the replay never was, p50 / p99 / most" % whole(LINES),
                     "", latency(file) + wrong(measured.file), [] if not measured.file.wrong else [False], floor))
    found.append(first_row(measured, events, floor))
    found.append(Row(
        "the first lenses, with %d recordings to look into" % measured.bench.recordings, "",
        latency(Spread(measured.first_lenses.seconds)) + wrong(measured.first_lenses),
        [] if not measured.first_lenses.wrong else [False], floor))
    noticed = Spread(measured.noticed)
    found.append(Row("a recording comes to the library, to `workspace/inlayHint/refresh`, p50 / p99 / most",
                     "at most 200 ms", latency(noticed), [noticed.most <= 200e-3], floor))
    memory = measured.memory
    found.append(Row(
        "memory of the server, %d recordings opened for their lenses, one of them of %s events" % (
            measured.bench.recordings, events), "at most 150 MB",
        "%s, most %s; before the large one %s, most %s" % tuple(
            megabytes(size) for size in (*memory["all"], *memory["small"])),
        [memory["all"][1] <= MEMORY_LIMIT]))
    found.append(Row(
        "memory of the server after all questions above", "at most 150 MB",
        "%s, most %s" % tuple(map(megabytes, memory["everything"])), [memory["everything"][1] <= MEMORY_LIMIT]))
    return found


def row(what, limit, samples, floor, more="", also=None):
    spread = Spread(samples.seconds)
    is_right = not samples.wrong and not (also and also.wrong)
    return Row("%s, p50 / p99 / most" % what, "p99 < %s" % milliseconds(limit).replace(".0", ""),
               latency(spread) + worked(samples) + more + wrong(samples), [spread.p99 < limit and is_right], floor)


def worked(samples):
    if not samples.processor:
        return ""
    spread = Spread(samples.processor)
    return "; processor time %s / %s" % (milliseconds(spread.median), milliseconds(spread.p99))


def wrong(samples):
    return "; WRONG %d times: %s" % (len(samples.wrong), samples.wrong[0]) if samples.wrong else ""


def first_row(measured, events, floor):
    first = Spread(measured.first)
    figure = "answered after %s" % latency(first)
    if not measured.begun:
        return Row("the first question about a file of %s events" % events,
                   "progress after 200 ms", figure + ", before it would be shown", [first.most <= 0.25], floor)
    begun = Spread(measured.begun)
    figure += "; progress shown after %s" % latency(begun)
    held = [begun.least >= 0.2 and begun.most <= 0.25]
    if measured.cancelled:
        cancelled = Spread(measured.cancelled)
        figure += "; cancelled within %s" % latency(cancelled)
    held.append(len(measured.cancelled) == len(measured.begun) and max(measured.cancelled, default=1) <= 0.01)
    return Row("the first question about a file of %s events, p50 / p99 / most" % events,
               "progress after 200 ms, to 250 ms; cancelled within 10 ms", figure, held, floor)
