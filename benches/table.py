"""The one table that the benchmark prints."""
import sys
import time
from dataclasses import dataclass, field

from figures import verdict

HEAD = ("what", "target", "figure", "", "floor", "peers")


@dataclass
class Row:
    """One row. `held` says for each limit of the target whether it was held; none: nothing to hold."""

    what: str
    target: str
    figure: str
    held: list = field(default_factory=list)
    floor: str = ""
    peers: str = ""


def not_measured(what, target, why, **columns):
    return Row(what, target, "not measured: %s" % why, **columns)


def markdown(rows):
    lines = ["| %s |" % " | ".join(HEAD), "|" + "---|" * len(HEAD)]
    for row in rows:
        cells = (row.what, row.target, row.figure, verdict(row.held), row.floor, row.peers)
        lines.append("| %s |" % " | ".join(
            " ".join(cell.split()).replace("|", "\\|") for cell in cells))
    return "\n".join(lines)


def progress(text):
    """Tells on standard error what goes on, since a run takes long."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)
