"""Counts and prints each number with the time, until it is killed."""
import os
import time


def count():
    number = 0
    while True:
        number += 1
        os.write(1, b"%d %d\n" % (number, time.monotonic_ns()))


count()
