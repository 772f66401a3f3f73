"""Counts the lines, calls, returns and exceptions of one repeat of a workload. Argument: its file."""
import importlib.util
import pathlib
import sys

path = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(path.parent))
spec = importlib.util.spec_from_file_location(path.stem, path)
workload = importlib.util.module_from_spec(spec)
spec.loader.exec_module(workload)
count = 0


def trace(frame, event, argument):
    global count
    if frame.f_code.co_filename != str(path):
        return None
    count += 1
    return trace


sys.settrace(trace)
workload.main()
sys.settrace(None)
print(count)
