"""Workload b: calls, 21,891 of them a round."""
import sys


def fibonacci(n):
    if n < 2:
        return n
    one = fibonacci(n - 1)
    two = fibonacci(n - 2)
    return one + two


def main():
    return fibonacci(20)


if __name__ == "__main__":
    for _ in range(int(sys.argv[1])):
        result = main()
    print(result)
