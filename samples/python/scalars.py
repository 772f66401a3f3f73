"""Numbers, text and bytes at their edges."""
import decimal
import fractions
import math


def numbers():
    small = 2 ** 31
    large = 2 ** 64
    larger = -(3 ** 80)
    zero = -0.0
    tiny = 5e-324
    infinite = float("inf")
    nothing = float("nan")
    third = 1 / 3
    whole = 1e16
    imaginary = complex(1, -0.0)
    truth = True
    bits = small & 0xFF | truth << 3
    exact = decimal.Decimal("0.10") + 1
    ratio = fractions.Fraction(1, 3)
    return [small, large, larger, zero, tiny, infinite, math.isnan(nothing), third, whole,
            imaginary, truth, bits, str(exact), str(ratio)]


def texts():
    plain = "it's"
    both = "it's \"both\""
    control = "tab\tnewline\nnull\0bell\x07"
    accents = "naïve café Ünïcödé"
    asian = "日本語"
    emoji = "🐍🎉"
    surrogate = "\ud800"
    unprintable = "\u200b\x85\xad"
    empty = ""
    long = "abc" * 50
    longer = "x" * 98 + "'"
    raw = b"bytes \x00\xff 'quoted'"
    array = bytearray(b"ab")
    array.append(99)
    array[0] = 65
    array += b"!"
    for letter in plain:
        empty += letter
    return [plain, both, control, accents, asian, emoji, len(surrogate), unprintable, empty, long,
            longer, raw, bytes(array)]


def nested():
    deep = [1, [2, [3, [4, [5, [6]]]]]]
    mixed = {"a": [1, (2, {"b": {3}})], (1, 2): None, 1.5: b"x", None: ...}
    single = (1,)
    empties = [[], (), {}, set(), frozenset(), "", b""]
    long = list(range(60))
    wide = {number: str(number) for number in range(40)}
    deep[1][1].append("late")  # mark: deep change
    mixed["a"][1][1]["b"].add(4)
    loop = [1]
    loop.append(loop)
    long[30] = "changed"
    wide[5] = None
    return deep, mixed, single, empties, long, len(wide), len(loop)


def main():
    for value in numbers():
        print(value)
    for value in texts():
        print(ascii(value))
    for value in nested():
        print(ascii(value))


if __name__ == "__main__":
    main()
