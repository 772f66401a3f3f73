"""The machine and its Python interpreters."""
import os
import pathlib
import platform
import subprocess
from dataclasses import dataclass

SUPPORTED = range(9, 15)


@dataclass(frozen=True)
class Python:
    """One interpreter: its minor version, its full version and its executable."""

    minor: int
    version: str
    path: str

    @property
    def name(self):
        return "3.%d" % self.minor


def pythons(cache):
    """The interpreters found, one for each minor version: as the tests find theirs."""
    places = sorted(pathlib.Path.home().glob(".pyenv/versions/3.*/bin/python"))
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if not folder.endswith("shims"):
            places += [pathlib.Path(folder, "python3.%d" % minor) for minor in SUPPORTED]
            places.append(pathlib.Path(folder, "python3"))
    places += sorted(cache.glob("pythons/python3.*/usr/bin/python3.*"))
    found = {}
    for place in places:
        python = ask(place)
        if python and python.minor in SUPPORTED:
            found.setdefault(python.minor, python)
    return [found[minor] for minor in sorted(found)]


def ask(place):
    question = ("import sys, os; v = sys.version_info; print(sys.implementation.name, v[0], v[1],"
                "'%d.%d.%d' % v[:3], os.path.realpath(sys.executable))")
    try:
        answer = subprocess.run([str(place), "-I", "-c", question], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True).stdout
    except OSError:
        return None
    words = answer.strip().split(" ", 4)
    if len(words) != 5 or words[:2] != ["cpython", "3"]:
        return None
    return Python(int(words[2]), words[3], words[4])


def facts(pythons):
    """What the figures depend on, in lines."""
    model = ""
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    loads = " ".join("%.1f" % load for load in os.getloadavg())
    yield "Machine: %d cores (%s), %s %s; load before: %s." % (
        len(os.sched_getaffinity(0)), model or "model unknown", platform.system(), platform.release(), loads)
    yield "Interpreters: %s." % (", ".join("CPython " + python.version for python in pythons) or "none")
