"""Functions that stop in the middle and go on later."""


def count(limit):
    number = 0
    while number < limit:
        sent = yield number  # mark: yield
        if sent is not None:
            number = sent
        number += 1
    return "done"


def delegate(limit):
    result = yield from count(limit)  # mark: delegate
    yield result


def cleanup(log):
    try:
        yield 1
        yield 2
    except ValueError as error:
        log.append(str(error))
        yield -1
    finally:
        log.append("closed")  # mark: closed


def interleave(*sources):
    waiting = [iter(source) for source in sources]
    while waiting:
        for source in list(waiting):
            try:
                yield next(source)
            except StopIteration:
                waiting.remove(source)


def pipeline(numbers):
    squares = (n * n for n in numbers)
    odd = (n for n in squares if n % 2)
    return sum(odd)


class Tree:
    def __init__(self, value, *children):
        self.value = value
        self.children = children

    def __iter__(self):
        yield self.value
        for child in self.children:
            yield from child


def main():
    counting = count(10)
    print(next(counting), counting.send(4), next(counting))
    counting.close()
    print(list(delegate(3)))
    log = []
    cleaning = cleanup(log)
    print(next(cleaning), cleaning.throw(ValueError("thrown")))
    cleaning.close()
    early = cleanup(log)
    next(early)
    early.close()
    print(log)
    print(list(interleave("ab", [1, 2, 3], count(1))))
    print(pipeline(range(6)))
    print(list(Tree(1, Tree(2, Tree(3)), Tree(4))))
    try:
        next(count(0))
    except StopIteration as stop:
        print(stop.value)


if __name__ == "__main__":
    main()
