"""A list of a million elements, changed in place. Arguments: changes, elements."""
import sys


def change(values, changes):
    size = len(values)
    index = 7
    for number in range(changes):
        index = (index * 1664525 + 1013904223) % size
        values[index] = -number
    return values[index]


def main():
    values = list(range(int(sys.argv[2])))
    print(change(values, int(sys.argv[1])))


main()
