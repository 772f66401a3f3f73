"""A list whose contents take more bytes than the recorder's ring has."""
LEN = 600000
FACTOR = 10 ** 12


def main():
    numbers = [number * FACTOR for number in range(LEN)]
    for step in range(3):
        numbers[step * 100] = step
        numbers.insert(step * 1000, -step)
        start = step * 1000 - 20 if step else 0
        seen = numbers[start:start + 40]
        size = len(numbers)
        total = sum(numbers)
        first = numbers[0]
        print(step, start, len(seen), size, total, first)  # mark: compare


main()
