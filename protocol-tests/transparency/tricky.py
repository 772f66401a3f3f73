"""Code that is hard to watch without disturbing it."""
import collections
import ctypes
import gc
import operator
import sys
import types


class Loud:
    """Says so when anything of it is called."""

    def __eq__(self, other):
        print("eq")
        return self is other

    def __hash__(self):
        print("hash")
        return 1

    def __repr__(self):
        print("repr")
        return "Loud()"

    def __getattr__(self, name):
        print("getattr", name)
        raise AttributeError(name)

    def __len__(self):
        print("len")
        return 0

    def __iter__(self):
        print("iter")
        return iter(())

    @property
    def value(self):
        print("property")
        return 1

    def __del__(self):
        print("del")


class Meta(type):
    def __getattribute__(cls, name):
        if not name.startswith("__"):
            print("meta", name)
        return super().__getattribute__(name)


class WithMeta(metaclass=Meta):
    x = 1


class Table(dict):
    def __setitem__(self, key, value):
        print("set", key)
        super().__setitem__(key, value)


class Sequence(list):
    def append(self, value):
        print("append", value)
        super().append(value)

    def __getitem__(self, index):
        print("get", index)
        return super().__getitem__(index)


def shadow():
    functions = []
    for number in range(3):
        functions.append(lambda: number)
    early = [lambda number=number: number for number in range(3)]
    return [f() for f in functions], [f() for f in early]


def cell_argument(value, other):
    def change():
        nonlocal value
        value = [value, other]

    change()
    del other
    return value


def depth():
    count = 0

    def down():
        nonlocal count
        count += 1
        down()

    try:
        down()
    except RecursionError:
        pass
    return count


def closures():
    def outer():
        x = 1

        def inner():
            return x

        return inner

    cell = outer().__closure__[0]
    cell.cell_contents = 5
    return cell.cell_contents


loud = Loud()
kept = [loud, {"k": loud}]
holder = types.SimpleNamespace(loud=loud)
holder.other = loud
print(kept[0] is holder.loud)
del kept[0], holder.loud, holder.other
print(WithMeta.x)
table = Table(a=1)
table["b"] = 2
table.update(c=3)
sequence = Sequence([1])
sequence.append(2)
print(sequence[0], len(sequence), list(table))
print(shadow())
print(cell_argument(1, 2))
print(depth())
print(closures())
numbers = [3, 1]
operator.setitem(numbers, 0, 9)
print(numbers, sorted(numbers))
queue = collections.deque([1, 2], maxlen=2)
queue.append(3)
print(queue)
big = [0] * 100_000
for index in range(0, 100_000, 10_000):
    big[index] = index
print(sum(big))
nested = []
for _ in range(100_000):
    nested = [nested]
del nested
print("deep list gone")
print(ctypes.c_int(5).value, gc.isenabled())
data = bytearray(b"abc")
view = memoryview(data)
view[0] = 65
try:
    data.append(1)
except BufferError as error:
    print(error)
del view
data += b"d"
print(data)
try:
    for key in table:
        table["new"] = 1
except RuntimeError as error:
    print(error)
sys.setrecursionlimit(500)
print(depth())
