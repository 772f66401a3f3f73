"""Loops with else, breaks, chained conditions, early returns, and lines that jump to themselves."""


def search(rows, wanted):
    for number, row in enumerate(rows):
        for value in row:
            if value == wanted:
                break  # mark: found
        else:
            continue
        return number, value
    return None


def collatz(n):
    steps = 0
    while n != 1: n, steps = (n // 2 if n % 2 == 0 else 3 * n + 1), steps + 1
    return steps


def chained(a, b, c):
    if a < b < c and not a == 0 or c == -1:
        return "rising"
    elif a > b > c:
        return "falling"
    return (
        "flat"
        if a == b == c
        else "mixed"
    )


def spread(values):
    result = dict(
        total=sum(values),
        highest=max(
            values,
            key=abs,
        ),
    )
    result["text"] = (
        "a"
        "b"
    )
    return result


def nothing():
    pass


def one_line(x): return x + 1


def loops():
    total = 0
    for a in range(3):
        for b in range(3):
            if b == 2:
                continue
            total += a * b
    for total in range(total, total + 2): pass
    i = 3
    while i:
        i -= 1
        if i == 1:
            break
    else:
        total = -1
    return total, i


def main():
    print(search([[1, 2], [3, 4]], 4), search([[1]], 2))
    print(collatz(6))
    print([chained(*values) for values in ((1, 2, 3), (3, 2, 1), (1, 1, 1), (1, 3, 2))])
    print(spread([3, -9, 4]))
    print(nothing(), one_line(1), loops())


if __name__ == "__main__":
    main()
