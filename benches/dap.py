"""A client of the Debug Adapter Protocol over standard input and output that measures."""
import json
import time

from frames import Process, Slow

__all__ = ("Client", "Refused", "Slow")


class Refused(Exception):
    """The adapter answered with an error; the text is its sentence."""


class Client(Process):
    """One adapter process. Times are in seconds, from before a request is written to the last byte of
    what answers it."""

    def __init__(self, retrostep, timeout=120.0):
        super().__init__(retrostep, "dap", timeout)
        self._sequence = 0

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
        self.write({"seq": self._sequence, "type": "request", "command": command, "arguments": arguments})
        return self._sequence

    def _until(self, wanted):
        """The moment when the wanted message had arrived, and the message."""
        while True:
            moment, body = self.read()
            message = json.loads(body)
            if message["type"] == "response" and not message["success"]:
                error = message.get("body", {}).get("error", {})
                raise Refused(error.get("format") or message.get("message", "no reason"))
            if wanted(message):
                return moment, message
