"""Workload b: calls, 21,891 of them a round."""
import measured


def fibonacci(n):
    if n < 2:
        return n
    one = fibonacci(n - 1)
    two = fibonacci(n - 2)
    return one + two


def main():
    return fibonacci(20)


if __name__ == "__main__":
    measured.run(main)
