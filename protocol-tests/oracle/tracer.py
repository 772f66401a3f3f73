"""Runs a program under `sys.settrace` and writes down every line it is about to run.

Usage: tracer.py OUT SCOPE (SCRIPT | -m MODULE) [ARGUMENT…]

OUT gets one JSON object per line event of code in files under the folder SCOPE:

    {"t": thread name, "f": frame number, "d": depth, "p": path, "n": function, "l": line,
     "c": line of the caller, "v": {name: text}}

`v` holds the frame's locals before the line runs: their `repr`, cut at 100 characters, for None,
bool, int, float, complex, str, bytes and nested list, tuple, dict, set and frozenset of them; null
for any other value. Names with two underscores around them are left out. It shares no code with
the recorder and uses nothing but `sys.settrace`.
"""
import json
import os
import sys
import threading
import types

LIMIT = 100
PLAIN = (bool, int, float, complex, bytes, str, type(None))


class NotPlain(Exception):
    pass


def pieces(value, seen):
    """The text of a value, part by part."""
    kind = type(value)
    if kind in PLAIN:
        yield repr(value)
        return
    if kind not in (list, tuple, dict, set, frozenset):
        raise NotPlain
    if id(value) in seen:
        raise NotPlain
    seen = seen | {id(value)}
    if not value and kind in (set, frozenset):
        yield repr(value)
        return
    before, after = {
        list: ("[", "]"),
        tuple: ("(", ",)" if len(value) == 1 else ")"),
        dict: ("{", "}"),
        set: ("{", "}"),
        frozenset: ("frozenset({", "})"),
    }[kind]
    yield before
    for number, item in enumerate(value.items() if kind is dict else value):
        if number:
            yield ", "
        if kind is dict:
            yield from pieces(item[0], seen)
            yield ": "
            yield from pieces(item[1], seen)
        else:
            yield from pieces(item, seen)
    yield after


def show(value):
    """The value's `repr` cut at 100 characters, or None if it is not plain."""
    text = ""
    try:
        for piece in pieces(value, frozenset()):
            text += piece
            if len(text) > LIMIT:
                return text[: LIMIT - 1] + "…"
    except (NotPlain, ValueError, RuntimeError, RecursionError):
        return None
    return text


def standard_folders():
    import sysconfig

    paths = sysconfig.get_paths()
    return tuple(
        os.path.realpath(paths[name]) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
    )


class Tracer:
    def __init__(self, out, scope):
        self.fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self.scope = os.path.realpath(scope) + os.sep
        self.standard = standard_folders()
        self.paths = {__file__: None}
        self.frames = 0
        self.write, self.encode, self.current = os.write, json.dumps, threading.current_thread

    def path(self, code):
        """The file's full path if the code is in scope, else None."""
        name = code.co_filename
        if name not in self.paths:
            real = os.path.realpath(name)
            inside = (
                not name.startswith("<")
                and real.startswith(self.scope)
                and "site-packages" not in real
                and not real.startswith(self.standard)
            )
            self.paths[name] = os.path.abspath(name) if inside else None
        return self.paths[name]

    def start(self):
        threading.settrace(self.call)
        sys.settrace(self.call)
        os.register_at_fork(after_in_child=self.stop)

    def stop(self):
        threading.settrace(None)
        sys.settrace(None)

    def call(self, frame, event, argument):
        path = self.path(frame.f_code)
        if path is None:
            return None
        if frame.f_trace is not None:
            return frame.f_trace
        number = self.frames
        self.frames += 1
        function = frame.f_code.co_name

        def local(frame, event, argument):
            if event == "line":
                self.line(frame, number, path, function)
            return local

        return local

    def line(self, frame, number, path, function):
        depth, caller, below = 1, None, frame.f_back
        while below is not None:
            if self.path(below.f_code) is not None:
                if caller is None:
                    caller = below.f_lineno
                depth += 1
            below = below.f_back
        values = {
            name: show(value)
            for name, value in list(frame.f_locals.items())
            if not (name == ".0" or name.startswith("@") or name[:2] == "__" == name[-2:])
        }
        record = {
            "t": self.current().name, "f": number, "d": depth, "p": path, "n": function,
            "l": frame.f_lineno, "c": caller, "v": values,
        }
        self.write(self.fd, (self.encode(record) + "\n").encode())


def main():
    out, scope, *command = sys.argv[1:]
    tracer = Tracer(out, scope)
    del sys.argv[:3]
    if command[0] == "-m":
        import runpy

        del sys.argv[:1]
        sys.path[0] = os.getcwd()
        module = command[1]
        threading.current_thread()
        tracer.start()
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    script = command[0]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    with open(script, "rb") as file:
        code = compile(file.read(), os.path.abspath(script), "exec")
    program = types.ModuleType("__main__")
    program.__file__ = script
    program.__builtins__ = __builtins__
    sys.modules["__main__"] = program
    tracer.start()
    exec(code, program.__dict__)


main()
