"""A server process and the frames that it and its client exchange, over standard input and output."""
import json
import os
import select
import subprocess
import time


class Slow(Exception):
    """No answer came in time."""


class Process:
    """One server process. A message's moment is that of its last byte, so that reading the JSON does not
    count."""

    def __init__(self, retrostep, command, timeout, folder=None):
        self.started = time.perf_counter()
        self.process = subprocess.Popen([str(retrostep), command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=0, cwd=folder)
        self.timeout = timeout
        self._input = self.process.stdin.fileno()
        self._output = self.process.stdout.fileno()
        self._buffer = bytearray()
        self._arrived = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def write(self, message):
        body = json.dumps(message).encode()
        frame = memoryview(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        while frame:
            frame = frame[os.write(self._input, frame):]

    def read(self, timeout=None):
        """The moment when the next message had arrived, and its bytes."""
        end = self._need(b"\r\n\r\n", timeout)
        head = bytes(self._buffer[:end]).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        whole = end + 4 + length
        while len(self._buffer) < whole:
            self._more(timeout)
        body = bytes(self._buffer[end + 4:whole])
        del self._buffer[:whole]
        return self._arrived, body

    def _need(self, mark, timeout):
        while (found := self._buffer.find(mark)) < 0:
            self._more(timeout)
        return found

    def _more(self, timeout):
        seconds = self.timeout if timeout is None else timeout
        if not select.select([self._output], [], [], seconds)[0]:
            raise Slow("no answer within %g s" % seconds)
        more = os.read(self._output, 1 << 20)
        if not more:
            raise Slow("the process ended")
        self._arrived = time.perf_counter()
        self._buffer += more
