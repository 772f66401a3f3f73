"""Objects that say when they die: a recording must not keep them alive."""
# settrace needs Python 3.13
import gc
import weakref

events = []


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        events.append("del " + self.name)  # mark: dies


def scoped():
    first = Noisy("first")
    second = Noisy("second")
    del first
    events.append("after del")
    second = None
    events.append("after rebinding")
    third = Noisy("third")
    return len(events)


def weak():
    noisy = Noisy("weak")
    reference = weakref.ref(noisy, lambda _: events.append("callback"))
    alive = reference() is noisy
    del noisy
    dead = reference() is None
    cache = weakref.WeakValueDictionary()
    kept = cache["k"] = Noisy("kept")
    size = len(cache)
    del kept
    return alive, dead, size, len(cache)


def cycle():
    noisy = Noisy("cycle")
    noisy.me = noisy
    del noisy
    before = len(events)
    gc.collect()
    return len(events) - before


def reuse():
    seen = []
    for number in range(5):
        fresh = [number]
        fresh.append(number)
        seen.append(fresh[-1])
    return seen


def main():
    gc.disable()
    print(scoped())
    print(weak())
    print(cycle())
    print(reuse())
    print(events)


if __name__ == "__main__":
    main()
