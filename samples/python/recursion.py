"""Frames of the same function that never share a variable."""
import sys


def fibonacci(n):
    if n < 2:
        return n
    before = fibonacci(n - 1)  # mark: first call
    earlier = fibonacci(n - 2)
    return before + earlier


def permutations(items, chosen=()):
    if not items:
        yield chosen
        return
    for index, item in enumerate(items):
        rest = items[:index] + items[index + 1:]
        yield from permutations(rest, chosen + (item,))


def depth_of(tree):
    return 1 + max((depth_of(child) for child in tree), default=0)


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


def down(n):
    if n:
        return down(n - 1) + 1  # mark: deep
    return 0


def main():
    print([fibonacci(n) for n in range(7)])
    print(list(permutations([1, 2, 3])))
    print(depth_of([[], [[], [[]]]]))
    print(even(7), odd(7))
    sys.setrecursionlimit(2000)
    print(down(400))


if __name__ == "__main__":
    main()
