"""Runs commands and measures them with everything they start and wait for."""
import json
import os
import pathlib
import resource
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"
EMPTY = PROGRAMS / "empty.py"


class Failed(Exception):
    """A command could not be run, failed, or took too long; the text says which."""


@dataclass
class Run:
    """Seconds of processor time (user and system, children included) and of wall clock.

    `thread` and `loop` are what the program itself says: of its main thread, without its start.
    """

    cpu: float
    wall: float
    thread: float = 0.0
    loop: float = 0.0


def run(command, timeout=300.0, memory=None, processor=None, folder=None, watch=None):
    """Runs to the end; `memory` limits the address space, `processor` the seconds of processor time,
    `watch` gets the process id.

    Raises Failed with the last line that the command wrote to standard error.
    """
    def limit():
        if memory:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        if processor:
            resource.setrlimit(resource.RLIMIT_CPU, (processor, processor + 1))

    command = [str(word) for word in command]
    report = tempfile.NamedTemporaryFile()
    errors = tempfile.TemporaryFile()
    start = time.perf_counter()
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                                 start_new_session=True, cwd=folder, preexec_fn=limit if memory or processor else None,
                                 env=dict(os.environ, BENCH_REPORT=report.name, PYTHONPATH=str(PROGRAMS)))
    except OSError as error:
        raise Failed("%s: %s" % (command[0], error.strerror))
    late = threading.Event()

    def stop():
        late.set()
        os.killpg(child.pid, signal.SIGKILL)

    timer = threading.Timer(timeout, stop)
    timer.daemon = True
    timer.start()
    if watch:
        watch(child.pid)
    try:
        _, status, usage = os.wait4(child.pid, 0)
    except BaseException:
        stop()
        raise
    wall = time.perf_counter() - start
    timer.cancel()
    child.returncode = status
    if late.is_set():
        raise Failed("stopped after %d s" % timeout)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        raise Failed("stopped after %d s of processor time" % processor)
    if status != 0:
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().splitlines() or ["it said nothing"]
        how = "signal %d" % -os.waitstatus_to_exitcode(status) if os.WIFSIGNALED(status) else "code %d" % (
            os.waitstatus_to_exitcode(status))
        raise Failed("ended with %s: %s" % (how, said[-1][:200]))
    told = report.read().split()
    thread, loop = map(float, told) if told else (0.0, 0.0)
    return Run(usage.ru_utime + usage.ru_stime, wall, thread, loop)


def record(bench, python, script, *arguments, options=(), out=None, **how):
    """Records one run into `out`, which is made anew."""
    out = out or bench.folder / "bench.retro"
    out.unlink(missing_ok=True)
    command = [bench.retrostep, "record", "--quiet", *options, "--out", out, "--", python, script, *arguments]
    return run(command, **how)


def facts(bench, recording):
    """What `retrostep info` says."""
    answer = subprocess.run([bench.retrostep, "info", "--json", str(recording)],
                            stdout=subprocess.PIPE, check=True)
    return json.loads(answer.stdout)


class Memory:
    """Watches how much memory a process and its children hold, by looking every few milliseconds."""

    def __init__(self):
        self.peaks = {}
        self.shared = {}
        self.first = None
        self._ended = threading.Event()
        self._thread = None

    def watch(self, process):
        self.first = process
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def stop(self):
        self._ended.set()
        self._thread.join()

    def others(self):
        """The sum of the peaks of all but the first process, in bytes."""
        return sum(peak for process, peak in self.peaks.items() if process != self.first)

    def _look(self):
        while True:
            for process in family(self.first):
                sizes = status(process)
                if "VmHWM" in sizes:
                    self.peaks[process] = max(self.peaks.get(process, 0), sizes["VmHWM"])
                    self.shared[process] = max(self.shared.get(process, 0), sizes.get("RssShmem", 0))
            if self._ended.wait(0.01):
                return


def family(process):
    """The process and all its descendants."""
    found = [process]
    for parent in found:
        try:
            for task in os.listdir("/proc/%d/task" % parent):
                with open("/proc/%d/task/%s/children" % (parent, task)) as file:
                    found.extend(map(int, file.read().split()))
        except OSError:
            continue
    return found


def processor_time(pid):
    """Seconds of processor time that the threads of a process took so far, to the nanosecond."""
    spent = 0
    for thread in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/schedstat" % (pid, thread)) as file:
                spent += int(file.read().split()[0])
        except OSError:
            # It ended in between.
            continue
    return spent / 1e9


def status(process):
    """The sizes in `/proc/PID/status`, in bytes."""
    try:
        with open("/proc/%d/status" % process) as file:
            lines = [line.split() for line in file]
    except OSError:
        return {}
    return {words[0][:-1]: int(words[1]) * 1024 for words in lines if len(words) == 3 and words[2] == "kB"}
