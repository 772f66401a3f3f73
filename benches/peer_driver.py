"""Runs a workload under a recorder that has no command of its own: TOOL OUT SCRIPT REPEATS."""
import importlib.util
import pathlib
import sys

tool, out, script, repeats = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4])
sys.path.insert(0, str(script.parent))
spec = importlib.util.spec_from_file_location(script.stem, script)
workload = importlib.util.module_from_spec(spec)
spec.loader.exec_module(workload)
main = getattr(workload, "main", None)

if tool == "pysnooper":
    import pysnooper

    recorder = pysnooper.snoop(out, depth=1000000, color=False)
else:
    import hunter

    stream = open(out, "w")
    recorder = hunter.trace(
        filename=str(script),
        actions=[hunter.CodePrinter(stream=stream), hunter.VarsSnooper(stream=stream)],
    )

with recorder:
    if main:
        for _ in range(repeats):
            main()
