"""Children: forked, spawned, and started as programs."""
import multiprocessing
import os
import subprocess
import sys


class Job:
    def __init__(self, n):
        self.n = n


def square(job):
    return job.n * job.n


def forked():
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        total = 0
        for number in range(100):
            total += number
        os.write(writer, str(total).encode())
        os._exit(5)
    os.close(writer)
    text = os.read(reader, 100)
    _, status = os.waitpid(child, 0)
    print(text, os.WEXITSTATUS(status))


def pools():
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, pool.map(square, [Job(n) for n in range(4)]))


def programs():
    command = [sys.executable, "-c", "import os, sys; print(sys.argv, sorted(n for n in os.environ if 'RETRO' in n or n.startswith('LD_')))"]
    print(subprocess.run(command, stdout=subprocess.PIPE).stdout)
    print(subprocess.run(["sh", "-c", "echo shell; exit 7"], stdout=subprocess.PIPE).returncode)


def failing_child():
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        raise ValueError("in the child")
    os.waitpid(child, 0)


if __name__ == "__main__":
    forked()
    pools()
    programs()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        print("child says")
        sys.exit(0)
    os.waitpid(child, 0)
    print("parent says")
