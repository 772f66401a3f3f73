"""A program that spends 99 % of its time in the standard library: a few lines of its own drive it."""
import difflib
import json
import re
import statistics
import textwrap

import measured

WORDS = "amber birch cedar delta ember fjord grove heron inlet jetty knoll larch".split()
TEXT = " ".join(WORDS[(n * n + n // 7) % len(WORDS)] for n in range(400))


def main():
    lines = textwrap.wrap(TEXT, 60)
    other = textwrap.wrap(TEXT.replace("cedar", "maple"), 60)
    changes = list(difflib.unified_diff(lines, other))
    numbers = list(map(len, lines)) * 4
    spread = statistics.stdev(numbers) + statistics.median(numbers) + statistics.fmean(numbers)
    kept = json.loads(json.dumps({"lines": lines, "changes": changes}, indent=1))
    pattern = re.compile("|".join(sorted(WORDS)) + "|" + str(len(kept["lines"])))
    re.purge()
    return len(changes), round(spread, 3), len(pattern.findall(TEXT))


if __name__ == "__main__":
    measured.run(main)
