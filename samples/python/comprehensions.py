"""Comprehensions, unpacking, conditional expressions, assignments inside expressions."""


def comprehensions(words):
    lengths = {word: len(word) for word in words}
    letters = {letter for word in words for letter in word}
    pairs = [(a, b) for a in words for b in words if a < b]
    nested = [[column * row for column in range(3)] for row in range(2)]
    lazily = sum(length for length in lengths.values())
    return lengths, sorted(letters), pairs, nested, lazily


def shadowing():
    number = "outside"
    inside = [number for number in range(3)]  # mark: shadow
    return number, inside


def over_lines(values):
    return [
        value * 2
        for value in values
        if value % 2
    ]


def captured(limit):
    base = 10
    return [(lambda: base + n)() for n in range(limit)]


def unpacking():
    first, *rest = range(4)
    (a, b), c = [1, 2], 3
    *start, end = "xyz"
    merged = {**{"k": 1}, "l": 2}
    joined = [*rest, *start]
    return first, rest, a, b, c, start, end, merged, joined


def walrus(values):
    found = []
    while (value := values.pop()) is not None:
        found.append(value)
    if any((last := value) > 3 for value in found):
        return last, found
    return found


def sort_by(rows):
    rows.sort(key=lambda row: (row["n"], -row["m"]))
    best = max(rows, key=lambda row: row["m"])
    names = list(map(lambda row: row["n"] * 2, filter(None, rows)))
    return rows, best, names


class Body:
    base = 2
    powers = [2 ** n for n in range(3)]
    label = "big" if base > 1 else "small"


def main():
    print(comprehensions(["one", "two", "six"]))
    print(shadowing())
    print(over_lines([1, 2, 3]))
    print(captured(2))
    print(unpacking())
    print(walrus([None, 5, 1]))
    print(sort_by([{"n": 2, "m": 1}, {"n": 1, "m": 5}, {"n": 1, "m": 7}]))
    print(Body.powers, Body.label)


if __name__ == "__main__":
    main()
