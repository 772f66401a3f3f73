"""Every way for a program to end. The first argument says which."""
import atexit
import os
import signal
import sys
import threading


class Last:
    def __del__(self):
        print("deleted", flush=True)


def handler(number, frame):
    print("handled", number, frame.f_code.co_name, flush=True)
    raise SystemExit(9)


def first():
    try:
        {}["absent"]
    except KeyError as error:
        raise RuntimeError("second") from error


def deep(n):
    return deep(n + 1)


last = Last()
kind = sys.argv[1]
atexit.register(print, "atexit one", flush=True)
atexit.register(print, "atexit two", flush=True)
print("before", flush=True)
if kind == "exit":
    sys.exit(3)
if kind == "exit-text":
    sys.exit("a message")
if kind == "exit-none":
    raise SystemExit
if kind == "_exit":
    os._exit(4)
if kind == "chained":
    first()
if kind == "during":
    try:
        first()
    finally:
        print(undefined)
if kind == "recursion":
    deep(0)
if kind == "interrupt":
    raise KeyboardInterrupt
if kind == "sigint":
    # Whoever started this may ignore the signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
if kind == "sigterm":
    os.kill(os.getpid(), signal.SIGTERM)
    signal.pause()
if kind == "sigkill":
    os.kill(os.getpid(), signal.SIGKILL)
if kind == "handled":
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    while True:
        signal.pause()
if kind == "abort":
    os.abort()
if kind == "thread":
    thread = threading.Thread(target=first, name="failing")
    thread.start()
    thread.join()
if kind == "hook":
    sys.excepthook = lambda kind, value, trace: print("hook", kind.__name__, value, trace.tb_lineno)
    first()
if kind == "atexit":
    atexit.register(first)
if kind == "syntax":
    exec("a b")
if kind == "unraisable":
    class Bad:
        def __del__(self):
            raise ValueError("in del")

    Bad()
if kind == "sub":
    sys.stdout.close()
print("after", flush=True) if kind != "sub" else None
