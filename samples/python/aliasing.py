"""One object under several names: what one name does, every other name shows."""


def fill(target, count):
    for number in range(count):
        target.append(number)  # mark: append
    return target


def rows(count):
    row = [0] * count
    shared = [row] * count
    own = [list(row) for _ in range(count)]
    shared[0][1] = 5  # mark: shared row
    own[0][1] = 5
    return shared, own


def swap(pair):
    pair[0], pair[1] = pair[1], pair[0]
    first, second = pair
    first, second = second, first
    return first, second


def containers():
    inner = {"n": 1}
    outer = {"a": inner, "b": [inner, inner]}
    inner["n"] += 1  # mark: through inner
    outer["b"][0]["m"] = "new"  # mark: through outer
    outer["b"].pop()
    del inner["n"]
    keys = list(outer)
    outer.update(c=(1, 2), d=frozenset({3}))
    outer.setdefault("e", []).extend("xy")
    popped = outer.pop("a")
    same = popped is inner
    return outer, keys, same


def in_place():
    numbers = [3, 1, 2]
    alias = numbers
    numbers += [9]  # mark: in place
    numbers.sort()
    numbers[1:3] = ["a", "b", "c"]
    numbers.insert(0, None)
    numbers.reverse()
    del numbers[0]
    numbers *= 2
    numbers = numbers + [1.5]  # mark: rebinding
    text = "ab"
    other = text
    text += "c"
    for letter in "def":
        text += letter
    seen = {1, 2}
    seen.add(3)
    seen |= {4}
    seen.discard(1)
    seen -= {2}
    alias.clear()
    return numbers, alias, text, other, seen


def default(value, into=[]):
    into.append(value)
    return into


def main():
    first = fill([], 3)
    second = first
    fill(second, 2)
    print(first, second is first)
    print(rows(3))
    print(swap([1, 2]))
    print(containers())
    print(in_place())
    for value in "abc":
        kept = default(value)
    print(kept, default("d") is kept)
    a = b = []
    a.append(b is a)
    print(a, b)


if __name__ == "__main__":
    main()
