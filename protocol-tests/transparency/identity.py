"""What a program can see of how it was started, and of itself."""
import inspect
import io
import os
import pickle
import sys
import threading

import __main__


class Kept:
    def __init__(self, value):
        self.value = value


class Words(list):
    pass


print(sys.argv, __name__, __file__, sys.path[0], __spec__, __package__, __builtins__.__name__)
print(sorted(vars(__main__)))
print(__main__.__file__, type(__main__.__loader__).__name__)
print(getattr(sys, "orig_argv", None))
print(sys.flags, sys.executable)
print(sorted(name for name in os.environ if "RETRO" in name or name.startswith("LD_")))
print(sorted(thread.name for thread in threading.enumerate()))
print(sys.gettrace(), sys.getprofile())
copy = pickle.loads(pickle.dumps(Kept([1])))
print(type(copy) is Kept, copy.value, pickle.dumps(Kept)[:40])
print(pickle.loads(pickle.dumps([].append))(1), pickle.loads(pickle.dumps(list.append)) is list.append)
for function in (list.append, dict.update, set.add, list.sort, dict.__setitem__, bytearray.extend):
    print(repr(function), type(function).__name__, function.__doc__, function.__qualname__,
          function.__objclass__, function.__text_signature__)
print(inspect.signature(list.append), list.append is list.append, Words.append is list.append)
print([].append.__self__, repr([].append)[:30], callable([].append), list.__dict__["append"].__name__)
try:
    list.append(1, 2)
except TypeError as error:
    print(error)
try:
    [].append()
except TypeError as error:
    print(error)
try:
    {}.update(1)
except TypeError as error:
    print(error)
words = Words()
words.append("w")
print(words, sys.getrefcount(words), sys.getrefcount(words[0]) > 0)
box = Kept("a fresh string " + str(os.getppid() * 0))
print(sys.getrefcount(box), sys.getrefcount(box.value), sys.getsizeof(box))
print(sys.getrecursionlimit(), sys.getswitchinterval())
print(sorted(name for name in sys.modules if "retro" in name.lower()))


def frames():
    names = []
    frame = sys._getframe()
    while frame:
        names.append((frame.f_code.co_name, frame.f_lineno, frame.f_trace))
        frame = frame.f_back
    return names


print(frames())
print([line.lineno for line in inspect.stack()])


def local_names(a):
    b = a
    del a
    return sorted(locals()), locals() == {"b": b}


print(local_names(1))
print(io.open is open, sys.stdout.fileno(), sys.stdout.line_buffering, sys.stdout.encoding)
print(type(sys.stdout).__name__, type(print).__name__, sys.stdout is sys.__stdout__)
