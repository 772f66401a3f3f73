"""The match statement."""
# needs Python 3.10
from dataclasses import dataclass


@dataclass
class Point:
    x: int
    y: int


def describe(value):
    match value:
        case []:
            return "empty"
        case [first]:
            return f"one {first}"
        case [first, *rest] if len(rest) > 2:
            return f"{first} and {len(rest)} more"  # mark: guard
        case {"kind": "move", "by": (dx, dy)}:
            return dx + dy
        case Point(x=0, y=y) | Point(x=y, y=0):
            return y
        case str() | bytes() as text:
            return len(text)
        case int(number) if number > 100:
            return "large"
        case None | True | False:
            return "constant"
        case _:
            return "other"


def main():
    values = [[], [1], [1, 2, 3, 4], {"kind": "move", "by": (1, 2)}, Point(0, 5), Point(7, 0),
              "text", b"xy", 500, None, 2.5]
    for value in values:
        result = describe(value)
        print(result)


if __name__ == "__main__":
    main()
