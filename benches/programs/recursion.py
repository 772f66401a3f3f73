"""Recursion, 10,000 frames deep. Arguments: descents, frames."""
import sys


def descend(depth, sum_so_far):
    if depth == 0:
        return sum_so_far
    sum_so_far += depth
    result = descend(depth - 1, sum_so_far)
    return result


def main():
    frames = int(sys.argv[2])
    sys.setrecursionlimit(frames + 1000)
    for _ in range(int(sys.argv[1])):
        total = descend(frames, 0)
    print(total)


main()
