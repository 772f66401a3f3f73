"""What an empty C tracer costs on this interpreter: one line `NAME noop RATIOx` for each workload."""
import importlib.util
import pathlib
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
programs = here.parent / "programs"
sys.path.insert(0, str(programs))


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


with tempfile.TemporaryDirectory() as folder:
    library = pathlib.Path(folder, "floor" + sysconfig.get_config_var("EXT_SUFFIX"))
    include = "-I" + sysconfig.get_paths()["include"]
    source = str(here / "floor.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", include, source, "-o", str(library)], check=True)
    floor = load("floor", library)
    for name in ("wa", "wb", "wc"):
        workload = load(name, programs / (name + ".py"))
        plain, traced = [], []
        for _ in range(7):
            start = time.process_time()
            workload.main()
            plain.append(time.process_time() - start)
            floor.start()
            start = time.process_time()
            workload.main()
            traced.append(time.process_time() - start)
            floor.stop()
        print(name, "noop %.1fx" % (statistics.median(traced) / statistics.median(plain)))
