"""Variables that outlive the call that made them."""


def counter(start=0):
    value = start
    history = []

    def step(by=1):
        nonlocal value
        value += by  # mark: nonlocal
        history.append(value)
        return value

    def reset():
        nonlocal value
        value = start
        history.clear()

    return step, reset


def late_binding():
    functions = []
    for number in range(3):
        functions.append(lambda: number)  # mark: late
    early = [lambda kept=item: kept for item in range(3)]
    return [f() for f in functions], [f() for f in early]


def compose(*functions):
    def composed(value):
        for function in reversed(functions):
            value = function(value)
        return value

    return composed


def outer(a):
    b = a + 1

    def middle(c):
        d = b + c

        def inner(e):
            nonlocal b, d
            b = b + e
            d = d * 2
            return a, b, c, d, e

        return inner(d), d

    return middle(10), b


def argument_in_cell(value, other):
    def change():
        nonlocal value
        value = [value, other]

    change()
    del other
    return value


def main():
    step, reset = counter(5)
    step()
    step(by=3)
    other, _ = counter()
    other()
    reset()
    print(step(), other())
    print(late_binding())
    double = compose(str, lambda n: n * 2, lambda n: n + 1)
    print(double(4))
    print(outer(1))
    try:
        argument_in_cell(1, 2)
    except NameError as error:
        print(error)
    print(argument_in_cell([], {}))


if __name__ == "__main__":
    main()
