"""A page of a list of a million elements that a million changes went through, at any position."""
import random
import time

import running
from dap import Client, Refused, Slow
from figures import Spread, latency, significant, whole
from running import PROGRAMS, Failed
from table import Row, not_measured, progress

SCRIPT = PROGRAMS / "large_list.py"
ELEMENTS = 1000000
PAGE = 100


def row(bench, python):
    """With all the changes, or with few where recording all takes too long, which the row says."""
    changes, few = (20000, 100) if bench.quick else (1000000, 1000)
    target = "p99 < 2 ms"
    try:
        return one_row(bench, python, changes, target, "")
    except Failed as error:
        note = "; recording %s changes: %s, so %s were made" % (whole(changes), error, whole(few))
    try:
        return one_row(bench, python, few, target, note)
    except Failed as error:
        return not_measured(title(changes), target, str(error))


def title(changes):
    return "a page of %d elements of %s with %s changes, any position, p50 / p99 / most" % (
        PAGE, whole(ELEMENTS), whole(changes))


def one_row(bench, python, changes, target, note):
    progress(title(changes))
    recording = bench.folder / "list.retro"
    try:
        running.record(bench, python.path, SCRIPT, changes, ELEMENTS, out=recording,
                       options=("--max-children", str(ELEMENTS)), timeout=10.0 if bench.quick else 150.0)
        facts = running.facts(bench, recording)
        with Client(bench.retrostep) as client:
            client.open(recording, position=0)
            cold, first, again, spent, pages = pages_of(bench, client, facts["events"])
            resident = running.status(client.process.pid).get("VmHWM", 0)
    except (Refused, Slow) as error:
        return not_measured(title(changes), target, str(error) + note)
    finally:
        recording.unlink(missing_ok=True)
    wrong = wrong_pages(pages)
    told = "WRONG %d of %d pages: %s" % (len(wrong), len(pages), wrong[0]) if wrong else (
        "all %d pages right" % len(pages))
    return Row(title(changes), target,
               "processor time %s; wall clock cold, with the jump there, %s; after the jump %s; decoded %s; "
               "resident %s MB; %s%s" % (
                   latency(spent), latency(cold), latency(first), latency(again), significant(resident / 1e6),
                   told, note),
               [spent.p99 < 2e-3 and not wrong and not note])


def pages_of(bench, client, end):
    """Four spreads of seconds, the last one of processor time after the jump, and the pages: the number
    of the change, the first index, the values."""
    random.seed(end)
    cold, first, again, processor, pages = [], [], [], [], []
    over = time.monotonic() + bench.patience
    while len(first) < bench.samples and (len(first) < 3 or time.monotonic() < over):
        jump, at = client.move("retrostep/seek", {"position": random.randrange(end // 100, end)})
        frames = client.ask("stackTrace", {"threadId": at["threadId"]})[1]["stackFrames"]
        if frames[0]["name"] != "change":
            continue
        scopes = client.ask("scopes", {"frameId": frames[0]["id"]})[1]["scopes"]
        local = {variable["name"]: variable for variable in client.ask(
            "variables", {"variablesReference": scopes[0]["variablesReference"]})[1]["variables"]}
        if "number" not in local:
            continue
        asked = {"variablesReference": local["values"]["variablesReference"], "filter": "indexed",
                 "start": random.randrange(ELEMENTS - PAGE), "count": PAGE}
        before = running.processor_time(client.process.pid)
        spent, body = client.ask("variables", asked)
        processor.append(running.processor_time(client.process.pid) - before)
        cold.append(jump + spent)
        first.append(spent)
        again.append(client.ask("variables", asked)[0])
        pages.append((int(local["number"]["value"]), asked["start"],
                      [variable["value"] for variable in body["variables"]]))
    return Spread(cold), Spread(first), Spread(again), Spread(processor), pages


def wrong_pages(pages):
    """Runs the program's own rule again and compares; the element being changed may be old or new."""
    values, index, number = list(range(ELEMENTS)), 7, 0
    wrong = []
    for stop, start, shown in sorted(pages):
        while number < stop:
            index = (index * 1664525 + 1013904223) % ELEMENTS
            values[index] = -number
            number += 1
        now = (index * 1664525 + 1013904223) % ELEMENTS
        for at, text in enumerate(shown, start):
            if text != str(values[at]) and not (at == now and text == str(-stop)):
                wrong.append("element %d in change %d is shown as %s instead of %d" % (
                    at, stop, text, values[at]))
                break
        if len(shown) != PAGE:
            wrong.append("%d elements at %d" % (len(shown), start))
    return wrong
