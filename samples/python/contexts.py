"""Context managers: classes, generators, stacks of them, and ones that swallow exceptions."""
import contextlib


class Resource:
    opened = 0

    def __init__(self, name, swallow=False):
        self.name = name
        self.swallow = swallow

    def __enter__(self):
        Resource.opened += 1  # mark: enter
        self.state = "open"
        return self

    def __exit__(self, kind, value, traceback):
        self.state = "closed" if kind is None else kind.__name__
        return self.swallow


@contextlib.contextmanager
def temporarily(mapping, key, value):
    old = mapping.get(key)
    mapping[key] = value
    try:
        yield mapping  # mark: inside
    finally:
        if old is None:
            del mapping[key]
        else:
            mapping[key] = old


def both():
    with Resource("a") as a, Resource("b") as b:
        names = a.name + b.name
    return names, a.state, b.state


def swallowed():
    with Resource("quiet", swallow=True) as resource:
        raise OSError("swallowed")
    return resource.state


def early():
    with Resource("early") as resource:
        return resource.state


def stacked(count):
    order = []
    with contextlib.ExitStack() as stack:
        for number in range(count):
            stack.callback(order.append, number)
        order.append("body")
    return order


def main():
    print(both())
    print(swallowed())
    print(early())
    print(stacked(3))
    settings = {"mode": "fast"}
    with temporarily(settings, "mode", "slow") as current:
        print(current["mode"])
    try:
        with temporarily(settings, "extra", 1):
            raise RuntimeError("left")
    except RuntimeError as error:
        print(error, settings)
    with contextlib.suppress(KeyError):
        settings["absent"]
    print(Resource.opened)


if __name__ == "__main__":
    main()
