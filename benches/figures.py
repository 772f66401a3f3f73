"""Medians, percentiles and how figures are written."""
import math

TIMES = "×"


class Spread:
    """What many measurements of one thing came to."""

    def __init__(self, values):
        ordered = sorted(values)
        if not ordered:
            raise ValueError("nothing was measured")
        self.count = len(ordered)
        self.median = percentile(ordered, 50)
        self.p99 = percentile(ordered, 99)
        self.least = ordered[0]
        self.most = ordered[-1]


def percentile(ordered, share):
    """The smallest value that at least `share` percent of the ordered values do not exceed.

    The median of an even number of values is the mean of the middle two.
    """
    count = len(ordered)
    if share == 50 and count % 2 == 0:
        return (ordered[count // 2 - 1] + ordered[count // 2]) / 2
    return ordered[max(math.ceil(count * share / 100), 1) - 1]


def median(values):
    return percentile(sorted(values), 50)


def significant(value, digits=3):
    """A number with so many significant digits and no exponent: 0.0123, 4.56, 1,235."""
    if value == 0:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    if places <= 0:
        return format(round(value), ",")
    return format(value, ".%df" % places)


def ratio(value):
    """How many times: one decimal below 100, two below 2."""
    if value < 2:
        return "%.2f%s" % (value, TIMES)
    return ("%.1f%s" if value < 100 else "%.0f%s") % (value, TIMES)


def milliseconds(seconds):
    """A span of time in milliseconds; microseconds below one."""
    if seconds < 1e-3:
        return significant(seconds * 1e6) + " µs"
    return significant(seconds * 1e3) + " ms"


def latency(spread):
    """p50, p99, most and number of a spread in seconds."""
    return "%s / %s / %s (%d)" % (
        *map(milliseconds, (spread.median, spread.p99, spread.most)), spread.count)


def megabytes(count):
    return "%.1f MB" % (count / 1e6)


def whole(count):
    return format(int(count), ",")


def verdict(held):
    """The word for a row: `held` is a list of whether each limit was held."""
    held = list(held)
    if not held:
        return ""
    if all(held):
        return "met"
    if len(held) == 1:
        return "**missed**"
    return "**missed** %d of %d" % (held.count(False), len(held))
