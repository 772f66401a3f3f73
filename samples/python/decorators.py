"""Functions around functions."""
import functools


def logged(function):
    calls = []

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        calls.append((args, kwargs))
        result = function(*args, **kwargs)  # mark: wrapped
        return result

    wrapper.calls = calls
    return wrapper


def repeat(times):
    def decorate(function):
        def repeated(*args):
            return [function(*args) for _ in range(times)]

        return repeated

    return decorate


class Memo:
    def __init__(self, function):
        self.function = function
        self.known = {}

    def __call__(self, n):
        if n not in self.known:
            self.known[n] = self.function(n)  # mark: remember
        return self.known[n]


@logged
def add(a, b=1, *more, scale=1, **others):
    return (a + b + sum(more)) * scale + len(others)


@repeat(times=2)
@logged
def shout(text):
    return text.upper()


@Memo
def slow(n):
    return n if n < 2 else slow(n - 1) + slow(n - 2)


@functools.lru_cache(maxsize=None)
def cached(n):
    return n * n


@functools.singledispatch
def describe(value):
    return "something"


@describe.register(int)
def _(value):
    return f"number {value}"


class Late:
    @functools.cached_property
    def value(self):
        return 42


def main():
    print(add(1), add(1, 2, 3, scale=2, extra=True), add.calls)
    print(shout("hey"))
    print(slow(8), slow.known)
    print(cached(3), cached(3), cached.cache_info().hits)
    print(describe(1), describe("x"))
    late = Late()
    print(late.value + late.value)
    bound = functools.partial(add, 1, scale=3)
    print(bound(2))


if __name__ == "__main__":
    main()
