"""A client of the Debug Adapter Protocol over standard input and output that measures."""
import json
import os
import select
import subprocess
import time


class Refused(Exception):
    """The adapter answered with an error; the text is its sentence."""


class Slow(Exception):
    """No answer came in time."""


class Client:
    """One adapter process. Times are in seconds, from before a request is written to the last byte of
    what answers it, so that reading the JSON does not count."""

    def __init__(self, retrostep, timeout=120.0):
        self.started = time.perf_counter()
        self.process = subprocess.Popen([str(retrostep), "dap"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=0)
        self.timeout = timeout
        self._input = self.process.stdin.fileno()
        self._output = self.process.stdout.fileno()
        self._buffer = b""
        self._arrived = 0.0
        self._sequence = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def open(self, recording, **arguments):
        """Seconds from the start of the process and from `attach` to the first stop."""
        self.ask("initialize", {"adapterID": "retrostep", "linesStartAt1": True})
        before = time.perf_counter()
        self._send("attach", dict(arguments, recording=str(recording)))
        self._send("configurationDone", {})
        stopped, _ = self._until(lambda message: message.get("event") == "stopped")
        self._until(lambda message: message.get("event") == "retrostep/position")
        return stopped - self.started, stopped - before

    def ask(self, command, arguments):
        """Seconds to the answer, and its body."""
        before = time.perf_counter()
        sequence = self._send(command, arguments)
        after, message = self._until(lambda message: message.get("request_seq") == sequence)
        return after - before, message.get("body", {})

    def move(self, command, arguments):
        """Seconds to the stop, and the position told after it."""
        before = time.perf_counter()
        self._send(command, arguments)
        after, stop = self._until(lambda message: message.get("event") == "stopped")
        _, told = self._until(lambda message: message.get("event") == "retrostep/position")
        return after - before, dict(told["body"], threadId=stop["body"].get("threadId", 1))

    def _send(self, command, arguments):
        self._sequence += 1
        message = {"seq": self._sequence, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        os.write(self._input, b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return self._sequence

    def _until(self, wanted):
        """The moment when the wanted message had arrived, and the message."""
        while True:
            moment, body = self._receive()
            message = json.loads(body)
            if message["type"] == "response" and not message["success"]:
                error = message.get("body", {}).get("error", {})
                raise Refused(error.get("format") or message.get("message", "no reason"))
            if wanted(message):
                return moment, message

    def _receive(self):
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if found:
                length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                if len(rest) >= length:
                    self._buffer = rest[length:]
                    return self._arrived, rest[:length]
            if not select.select([self._output], [], [], self.timeout)[0]:
                raise Slow("no answer within %d s" % self.timeout)
            more = os.read(self._output, 1 << 20)
            if not more:
                raise Slow("the adapter ended")
            self._arrived = time.perf_counter()
            self._buffer += more
