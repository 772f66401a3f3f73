"""What other recorders cost on the same workloads, each in a virtual environment of its own."""
import pathlib
import shutil
import subprocess
from dataclasses import dataclass, field

import running
from figures import median, significant
from recording import WORKLOADS, traced_events
from running import HERE, PROGRAMS, EMPTY, Failed
from table import progress

DRIVER = HERE / "peer_driver.py"
# Seconds of processor time in a full and in a quick run; wall clock is a multiple.
PROCESSOR, QUICK_PROCESSOR = 150, 5
MEMORY = 6 << 30


@dataclass(frozen=True)
class Peer:
    """`command` makes the command line from the environment's folder of programs, the folder to write
    into, the script and its repeats."""

    name: str
    package: str
    minors: tuple
    command: object


def driven(tool):
    return lambda programs, out, script, repeats: [
        programs / "python", DRIVER, tool, out / "out.txt", script, repeats]


PEERS = (
    Peer("tracesnap", "tracesnap==0.2.2", (11,), lambda programs, out, script, repeats: [
        programs / "tracesnap", "record", "--no-library", "--out", out / "out.json", script, "--", repeats]),
    Peer("PySnooper", "PySnooper==1.2.3", (11,), driven("pysnooper")),
    Peer("hunter", "hunter==3.9.0", (11,), driven("hunter")),
    Peer("VizTracer", "viztracer==1.1.1", (11, 12, 13), lambda programs, out, script, repeats: [
        programs / "viztracer", "--quiet", "--log_func_args", "--log_func_retval", "-o", out / "out.json",
        script, repeats]),
    Peer("py-tt-debug", "py-tt-debug==0.8.0", (12,), lambda programs, out, script, repeats: [
        programs / "pyttd", "record", "--db-path", out / "out.db", script, "--args", repeats]),
    Peer("codetracer-python-recorder", "codetracer-python-recorder==0.3.0", (12,),
         lambda programs, out, script, repeats: [
             programs / "codetracer-python-recorder", "--trace-dir", out / "trace", script, repeats]),
)


@dataclass
class Peers:
    """What was measured, ready for the table: for each minor version a text for each peer."""

    said_ratios: dict = field(default_factory=dict)
    said_sizes: dict = field(default_factory=dict)

    def ratios(self, minor):
        return "; ".join(self.said_ratios.get(minor, ()))

    def sizes(self, minor):
        return "; ".join(self.said_sizes.get(minor, ()))


def measure(bench):
    """Runs every peer on the interpreters it is made for."""
    found = Peers()
    present = {python.minor: python for python in bench.pythons}
    for peer in PEERS:
        for minor in peer.minors:
            if minor not in present:
                continue
            ratios, sizes = found.said_ratios.setdefault(minor, []), found.said_sizes.setdefault(minor, [])
            try:
                programs = installed(bench.cache, present[minor], peer)
                told = [one(bench, present[minor], peer, programs, name) for name in WORKLOADS]
            except Failed as error:
                ratios.append("%s: %s" % (peer.name, error))
                continue
            ratios.append("%s %s" % (peer.name, " / ".join(ratio for ratio, _ in told)))
            sizes.append("%s %s" % (peer.name, " / ".join(size for _, size in told)))
    return found


def installed(cache, python, peer):
    """The folder of programs of the peer's environment, made when it is missing."""
    folder = cache / "peers" / ("%s-%s" % (peer.package, python.version))
    stamp = folder / "installed"
    if not stamp.exists():
        progress("installing %s for %s" % (peer.package, python.name))
        shutil.rmtree(folder, ignore_errors=True)
        for command in ([python.path, "-m", "venv", str(folder)],
                        [str(folder / "bin/pip"), "install", "--quiet", "--disable-pip-version-check",
                         peer.package]):
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                said = done.stderr.strip().splitlines() or ["no reason was told"]
                raise Failed("could not be installed: %s" % said[-1][:200])
        stamp.touch()
    return folder / "bin"


def one(bench, python, peer, programs, name):
    """The ratio to the untraced run and the bytes per event, as texts."""
    script = PROGRAMS / (name + ".py")
    base = running.run([python.path, script, 100]).thread / 100
    out = bench.folder / "peer"
    if bench.quick and name != "wb":
        return "-", "-"
    progress("%s on %s, %s" % (peer.name, python.name, name))
    seconds = QUICK_PROCESSOR if bench.quick else PROCESSOR
    ratios = []
    try:
        # A cheap recorder needs more than one repeat to be told from its own start.
        for repeats in (1, 20, 400):
            cost, size = under(peer, programs, out, script, repeats, seconds)
            if cost > 0.2:
                break
        ratios.append(cost / repeats / base)
        if cost < 10 and not bench.quick:
            for _ in range(2):
                ratios.append(under(peer, programs, out, script, repeats, seconds)[0] / repeats / base)
    except Failed as error:
        return "(%s; limits: %d s, %d GB)" % (error, seconds, MEMORY >> 30), "-"
    finally:
        shutil.rmtree(out, ignore_errors=True)
    events = traced_events(python, name) * repeats
    return "%s×" % significant(median(ratios)), significant(size / events)


def under(peer, programs, out, script, repeats, seconds):
    """Seconds of processor time less those of an empty program, and the bytes written."""
    def once(script, repeats):
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        command = peer.command(programs, out, script, repeats)
        cpu = running.run(command, timeout=4.0 * seconds, processor=seconds, memory=MEMORY, folder=out).cpu
        return cpu, sum(path.stat().st_size for path in pathlib.Path(out).rglob("*") if path.is_file())

    empty, _ = once(EMPTY, 1)
    cpu, size = once(script, repeats)
    if size == 0:
        raise Failed("wrote nothing")
    return cpu - empty, size
