"""Runs a program so many times as its argument says, and tells what that took when it is asked to.

`BENCH_REPORT` names a file; it gets the seconds of processor time of the main thread and of wall clock.
"""
import os
import sys
import time


def run(main):
    processor, wall = time.thread_time(), time.perf_counter()
    for _ in range(int(sys.argv[1])):
        result = main()
    processor, wall = time.thread_time() - processor, time.perf_counter() - wall
    print(result)
    report = os.environ.get("BENCH_REPORT")
    if report:
        with open(report, "w") as file:
            file.write("%r %r\n" % (processor, wall))
