"""Names that get the value they have already, and lines that do not end."""
total = 0
state = "new"


def set_total(value):
    global total
    total = value


def fails(key):
    raise KeyError(key)


def swap(a, b):
    a, b = b, a
    b, a = a, b
    first, *rest = [a, b, a]
    first, *rest = [a, b, b]
    return first, rest


def counter():
    count = 0

    def add(n):
        nonlocal count
        count += n

    add(2)
    count = 2
    add(0)
    return count


def numbers(end):
    for number in range(end):
        yield number


def main(values):
    found = 1
    for _ in range(2):
        found = next((value for value in values if value), None)
        if any(value > 0 for value in values):
            found = next(numbers(3)) + 1
        same = found
    return same


total = 1
set_total(5)
total = 5  # mark: same as the function set it
for _ in range(2):
    try:
        state = fails("absent")
    except KeyError as error:
        state = type(error).__name__
    done = state
    try:
        done = fails(done)  # mark: never assigns
    except KeyError:
        pass
print(total, state, done, swap(1, 1), counter(), main([0, 1, 2]))
