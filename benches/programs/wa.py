"""Workload a: arithmetic in two nested loops of one function."""
import measured


def main():
    total = 0
    ratio = 1.0
    for row in range(200):
        base = row * 3
        for column in range(200):
            value = base + column
            square = value * value % 97
            if square & 1:
                total += square
            else:
                ratio = ratio * 0.5 + square
    return total, ratio


if __name__ == "__main__":
    measured.run(main)
