"""A client of the Language Server Protocol over standard input and output that measures."""
import json
import time

from frames import Process, Slow

__all__ = ("Client", "Refused", "Slow", "CANCELLED")

CANCELLED = -32800
CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "window": {"workDoneProgress": True},
    "workspace": {
        "inlayHint": {"refreshSupport": True},
        "inlineValue": {"refreshSupport": True},
        "codeLens": {"refreshSupport": True},
    },
    "textDocument": {
        "inlayHint": {"resolveSupport": {"properties": ["tooltip", "label.tooltip", "label.location"]}},
        "inlineValue": {},
        "hover": {"contentFormat": ["markdown"]},
    },
}


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, error):
        super().__init__(error.get("message", "no reason"))
        self.code = error.get("code")


class Client(Process):
    """One server process of an editor that shows the whole file's values. Times are in seconds, from before
    the first message is written to the last byte of the answer."""

    def __init__(self, retrostep, folder, timeout=120.0):
        super().__init__(retrostep, "lsp", timeout, folder)
        self._last = 0
        self.version = 1
        self.ask("initialize", {
            "processId": None, "capabilities": CAPABILITIES,
            "initializationOptions": {"commands": True, "values": {"scope": "file"}},
            "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name}]})
        self.tell("initialized", {})

    def open(self, path, text):
        self.tell("textDocument/didOpen", {"textDocument": {
            "uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}})

    def change(self, path, start, end, text):
        """Replaces what stands between two places, each a line and a column from 0."""
        self.version += 1
        self.tell("textDocument/didChange", {
            "textDocument": {"uri": path.as_uri(), "version": self.version},
            "contentChanges": [{"range": span(start, end), "text": text}]})

    def tell(self, method, params):
        self.write({"jsonrpc": "2.0", "method": method, "params": params})

    def send(self, method, params):
        """Asks without waiting; the number of the request."""
        self._last += 1
        self.write({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        return self._last

    def ask(self, method, params):
        """Seconds to the answer, and the answer."""
        before = time.perf_counter()
        after, answer = self.answer(self.send(method, params))
        return after - before, answer

    def answer(self, number):
        """The moment when the answer to a request had arrived, and the answer."""
        moment, message = self.until(lambda message: message.get("id") == number and "method" not in message)
        if "error" in message:
            raise Refused(message["error"])
        return moment, message["result"]

    def called(self, method):
        """The moment when the server next sent this request or notification, and its parameters."""
        moment, message = self.until(lambda message: message.get("method") == method)
        return moment, message.get("params")

    def rest(self, seconds=0.06):
        """Reads until nothing came for a while."""
        try:
            while True:
                self._take(seconds)
        except Slow:
            if self.process.poll() is not None:
                raise

    def until(self, wanted):
        while True:
            moment, message = self._take(None)
            if wanted(message):
                return moment, message

    def _take(self, timeout):
        moment, body = self.read(timeout)
        message = json.loads(body)
        if "method" in message and "id" in message:
            # Whatever it is, the editor agrees.
            self.write({"jsonrpc": "2.0", "id": message["id"], "result": None})
        return moment, message


def span(start, end):
    return {"start": {"line": start[0], "character": start[1]}, "end": {"line": end[0], "character": end[1]}}
