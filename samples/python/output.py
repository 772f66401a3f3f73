"""Everything a program can write."""
import os
import sys


def pieces():
    print("to", "stdout", sep="-")
    print("no newline", end="")  # mark: half
    print()
    print("to stderr", file=sys.stderr)
    sys.stdout.write("written\n")
    sys.stdout.flush()
    sys.stderr.write("ü error\n")
    os.write(1, b"through the descriptor\n")
    for number in range(3):
        print(number, flush=True)
    print("first\nsecond\nthird")


def main():
    pieces()
    sys.stdout.buffer.write(b"raw \xc3\xa9\n")
    sys.stdout.flush()
    sys.exit(3)


if __name__ == "__main__":
    main()
