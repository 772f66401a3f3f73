"""Every way to change an object that the recorder knows.

`mark()` stands where the recorded state is looked at; `check(name, copy)` says what the variable of
the caller must have shown there, by handing over a fresh deep copy.
"""

import array
import bisect
import collections
import copy
import dataclasses
import enum
import heapq
import operator
import random
import types

import unrecorded


def mark():
    pass


def check(name, expected):
    pass


class Point:
    def __init__(self, x, y):
        self.x = x
        self.y = y


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self):
        self.a = 1


class Guarded:
    def __init__(self):
        self._value = 0
        self.log = []

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, new):
        if new < 0:
            raise ValueError("negative")
        self._value = new
        self.log.append(new)


class Loud:
    def __setattr__(self, name, value):
        object.__setattr__(self, name, ("loud", value))


class Rows(list):
    def __init__(self, items):
        super().__init__(items)
        self.count = len(items)

    def __setitem__(self, key, value):
        super().__setitem__(key, [value])


class Table(dict):
    def __missing__(self, key):
        self[key] = key * 2
        return self[key]


@dataclasses.dataclass
class Order:
    name: str
    lines: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    name: str
    inner: dict


class Child(unrecorded.Base):
    def __init__(self):
        self.before = []
        super().__init__()
        self.after = 1


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


def list_stores():
    xs = [1, 2, 3]
    alias = xs
    holder = (xs, 1)
    alias[0] = 10
    mark(); check("xs", copy.deepcopy(xs))
    holder[0][-1] = 30
    mark(); check("xs", copy.deepcopy(xs))
    xs[1:2] = [7, 8, 9]
    mark(); check("alias", copy.deepcopy(xs))
    del xs[0]
    mark(); check("alias", copy.deepcopy(xs))
    del xs[1:3]
    mark(); check("alias", copy.deepcopy(xs))
    xs += [4, 5]
    mark(); check("alias", copy.deepcopy(xs))
    xs *= 2
    mark(); check("alias", copy.deepcopy(xs))
    operator.setitem(xs, 0, "operator")
    mark(); check("alias", copy.deepcopy(xs))
    operator.iadd(xs, [6])
    mark(); check("alias", copy.deepcopy(xs))
    xs.__setitem__(1, "dunder")
    mark(); check("alias", copy.deepcopy(xs))
    store = xs.__setitem__
    store(2, "bound")
    mark(); check("alias", copy.deepcopy(xs))
    for xs[0] in range(3):
        mark(); check("alias", copy.deepcopy(xs))
    xs[0], xs[1] = xs[1], xs[0]
    mark(); check("alias", copy.deepcopy(xs))
    try:
        xs[100] = 1
    except IndexError:
        mark(); check("alias", copy.deepcopy(xs))


def list_methods():
    xs = [3, 1, 2]
    alias = xs
    xs.append(5)
    mark(); check("alias", copy.deepcopy(xs))
    add = xs.append
    add(6)
    mark(); check("alias", copy.deepcopy(xs))
    list.append(xs, 7)
    mark(); check("alias", copy.deepcopy(xs))
    xs.extend([8, 9])
    mark(); check("alias", copy.deepcopy(xs))
    xs.extend(n for n in (1, 2))
    mark(); check("alias", copy.deepcopy(xs))
    xs.insert(0, "first")
    mark(); check("alias", copy.deepcopy(xs))
    xs.pop()
    mark(); check("alias", copy.deepcopy(xs))
    xs.pop(0)
    mark(); check("alias", copy.deepcopy(xs))
    xs.remove(1)
    mark(); check("alias", copy.deepcopy(xs))
    xs.sort()
    mark(); check("alias", copy.deepcopy(xs))
    xs.sort(key=lambda n: -n)
    mark(); check("alias", copy.deepcopy(xs))
    xs.reverse()
    mark(); check("alias", copy.deepcopy(xs))
    xs.clear()
    mark(); check("alias", copy.deepcopy(xs))
    [xs.append(n) for n in range(4)]
    mark(); check("alias", copy.deepcopy(xs))
    heap = [5, 7, 9]
    heapq.heapify(heap)
    heapq.heappush(heap, 1)
    mark(); check("heap", copy.deepcopy(heap))
    heapq.heappop(heap)
    mark(); check("heap", copy.deepcopy(heap))
    bisect.insort(heap, 6)
    mark(); check("heap", copy.deepcopy(heap))
    random.Random(1).shuffle(heap)
    mark(); check("heap", copy.deepcopy(heap))
    matrix = [[0] * 3 for _ in range(3)]
    matrix[1][2] = 5
    mark(); check("matrix", copy.deepcopy(matrix))
    row = matrix[2]
    row[0] = "through row"
    mark(); check("matrix", copy.deepcopy(matrix))
    again = [xs.append(1) or 2 for _ in range(3)]
    mark(); check("xs", copy.deepcopy(xs)); check("again", copy.deepcopy(again))


def dicts():
    d = {"a": 1}
    alias = d
    d["b"] = 2
    mark(); check("alias", copy.deepcopy(d))
    d["a"] += 10
    mark(); check("alias", copy.deepcopy(d))
    del d["a"]
    mark(); check("alias", copy.deepcopy(d))
    d.update(c=3, d=4)
    mark(); check("alias", copy.deepcopy(d))
    if hasattr(d, "__ior__"):
        d |= {"e": 5}
    mark(); check("alias", copy.deepcopy(d))
    d.setdefault("f", []).append(1)
    mark(); check("alias", copy.deepcopy(d))
    d.pop("c")
    mark(); check("alias", copy.deepcopy(d))
    d.popitem()
    mark(); check("alias", copy.deepcopy(d))
    d.__setitem__("bound", 1)
    mark(); check("alias", copy.deepcopy(d))
    store = d.__setitem__
    store("stored", 2)
    mark(); check("alias", copy.deepcopy(d))
    for d["loop"] in range(3):
        mark(); check("alias", copy.deepcopy(d))
    d[(1, 2)] = "tuple"
    d[Colour.RED] = "enum"
    d[1.5] = "float"
    d[None] = "none"
    mark(); check("alias", copy.deepcopy(d))
    d[(1, 2)] = "again"
    d[Colour.RED] = "again"
    mark(); check("alias", copy.deepcopy(d))
    d.clear()
    mark(); check("alias", copy.deepcopy(d))
    many = {n: n for n in range(100)}
    same = many
    many[50] = "fifty"
    many[100] = "new"
    mark(); check("same", copy.deepcopy(many))
    del many[7]
    many.pop(8)
    mark(); check("same", copy.deepcopy(many))
    many.setdefault(8, "back")
    mark(); check("same", copy.deepcopy(many))
    for key in list(many):
        if key % 3 == 0:
            del many[key]
    mark(); check("same", copy.deepcopy(many))
    default = collections.defaultdict(list)
    default["x"].append(1)
    mark(); check("default", copy.deepcopy(default))
    default["y"]
    mark(); check("default", copy.deepcopy(default))
    table = Table()
    table[4]
    mark(); check("table", copy.deepcopy(table))
    ordered = collections.OrderedDict(a=1, b=2, c=3)
    ordered.move_to_end("a")
    mark(); check("ordered", copy.deepcopy(ordered))
    ordered["d"] = 4
    ordered.popitem(last=False)
    mark(); check("ordered", copy.deepcopy(ordered))
    counter = collections.Counter("hello")
    counter["l"] += 1
    mark(); check("counter", copy.deepcopy(counter))
    counter.update("world")
    mark(); check("counter", copy.deepcopy(counter))
    counter.subtract("held")
    mark(); check("counter", copy.deepcopy(counter))


def others():
    s = {1, 2}
    alias = s
    s.add(3)
    mark(); check("alias", copy.deepcopy(s))
    s |= {4, 5}
    mark(); check("alias", copy.deepcopy(s))
    s -= {1}
    mark(); check("alias", copy.deepcopy(s))
    s ^= {2, 9}
    mark(); check("alias", copy.deepcopy(s))
    s &= {3, 4}
    mark(); check("alias", copy.deepcopy(s))
    s.update([7, 8])
    s.discard(7)
    mark(); check("alias", copy.deepcopy(s))
    s.pop()
    mark(); check("alias", copy.deepcopy(s))
    queue = collections.deque([1, 2, 3])
    other = queue
    queue.append(4)
    queue.popleft()
    mark(); check("other", copy.deepcopy(queue))
    queue.rotate(1)
    queue[0] = "zero"
    mark(); check("other", copy.deepcopy(queue))
    queue += [5]
    mark(); check("other", copy.deepcopy(queue))
    queue.extend(range(200))
    mark(); check("other", copy.deepcopy(queue))
    data = bytearray(b"abc")
    view = data
    data[0] = 65
    mark(); check("view", copy.deepcopy(data))
    data += b"def"
    data.extend(b"x")
    mark(); check("view", copy.deepcopy(data))
    data[1:3] = b"--"
    mark(); check("view", copy.deepcopy(data))
    numbers = array.array("i", [1, 2, 3])
    numbers[1] = 20
    mark(); check("numbers", copy.deepcopy(numbers))
    numbers.append(4)
    mark(); check("numbers", copy.deepcopy(numbers))
    window = memoryview(numbers)
    window[0] = 7
    mark(); check("numbers", copy.deepcopy(numbers))
    window.release()


def attributes():
    p = Point(1, 2)
    alias = p
    p.x = 10
    mark(); check("alias", copy.deepcopy(p))
    p.y += 1
    mark(); check("alias", copy.deepcopy(p))
    p.new = [1]
    p.new.append(2)
    mark(); check("alias", copy.deepcopy(p))
    del p.x
    mark(); check("alias", copy.deepcopy(p))
    setattr(p, "x", "setattr")
    mark(); check("alias", copy.deepcopy(p))
    object.__setattr__(p, "x", "object")
    mark(); check("alias", copy.deepcopy(p))
    delattr(p, "x")
    mark(); check("alias", copy.deepcopy(p))
    p.__dict__["y"] = "dict"
    mark(); check("alias", copy.deepcopy(p))
    vars(p).update(x=1, z=2)
    mark(); check("alias", copy.deepcopy(p))
    p.y = "after dict"
    mark(); check("alias", copy.deepcopy(p))
    attributes = p.__dict__
    attributes["later"] = 1
    mark(); check("alias", copy.deepcopy(p))
    p.__dict__ = {"fresh": 1}
    mark(); check("alias", copy.deepcopy(p))
    s = Slotted()
    s.a = 5
    s.b = [1]
    mark(); check("s", copy.deepcopy(s))
    del s.a
    mark(); check("s", copy.deepcopy(s))
    setattr(s, "a", "setattr")
    mark(); check("s", copy.deepcopy(s))
    g = Guarded()
    g.value = 3
    mark(); check("g", copy.deepcopy(g))
    try:
        g.value = -1
    except ValueError:
        mark(); check("g", copy.deepcopy(g))
    loud = Loud()
    loud.x = 1
    mark(); shown = copy.copy(loud.__dict__)
    check("shown", copy.deepcopy(shown)) if False else None
    rows = Rows([1, 2])
    rows[0] = 5
    mark(); check("rows", copy.deepcopy(rows)) if False else None
    o = Order("one")
    o.lines.append("a")
    o.name = "two"
    mark(); check("o", copy.deepcopy(o))
    f = Frozen("f", {})
    f.inner["k"] = 1
    mark(); check("f", copy.deepcopy(f))
    object.__setattr__(f, "name", "forced")
    mark(); check("f", copy.deepcopy(f))
    c = Child()
    mark(); check("c", copy.deepcopy(c))
    c.touch()
    mark(); check("c", copy.deepcopy(c))
    n = types.SimpleNamespace(a=1)
    n.b = 2
    mark(); check("n", copy.deepcopy(n))
    cls = Point(3, 4)
    mark()
    cls.__class__ = Guarded
    cls.log = []
    mark(); check("cls", copy.deepcopy(cls))


def from_elsewhere():
    xs = [1]
    unrecorded.keep(xs)
    unrecorded.append_to_kept(2)
    mark(); check("xs", copy.deepcopy(xs))
    unrecorded.set_item(xs, 0, "theirs")
    mark(); check("xs", copy.deepcopy(xs))
    unrecorded.add_in_place(xs, [5, 6])
    mark(); check("xs", copy.deepcopy(xs))
    unrecorded.delete_item(xs, 0)
    mark(); check("xs", copy.deepcopy(xs))
    d = {"a": {"b": [1, 2]}}
    inner = d["a"]["b"]
    unrecorded.deep_change(d)
    mark(); check("d", copy.deepcopy(d)); check("inner", copy.deepcopy(inner))
    unrecorded.set_item(d, "k", xs)
    mark(); check("d", copy.deepcopy(d))
    p = Point(1, 2)
    unrecorded.set_attribute(p, "x", 5)
    mark(); check("p", copy.deepcopy(p))
    unrecorded.fill(p)
    mark(); check("p", copy.deepcopy(p))
    r = unrecorded.Record("r", [])
    r.bump()
    mark(); check("r", copy.deepcopy(r))
    r.bump()
    mark(); check("r", copy.deepcopy(r))
    box = [0]

    def inside():
        mark(); check("seen", copy.deepcopy(box))

    seen = box
    calls = []

    def look():
        seen = box
        mark(); check("seen", copy.deepcopy(box))

    unrecorded.call_back(look, box)
    mark(); check("box", copy.deepcopy(box))
    del calls, inside


def cells():
    count = 0
    log = []

    def bump(by):
        nonlocal count
        count += by
        log.append(count)

    for n in range(3):
        bump(n)
        mark(); check("count", copy.deepcopy(count)); check("log", copy.deepcopy(log))


TOTAL = 0
NAMES = []


def module_globals():
    global TOTAL, ADDED
    TOTAL += 1
    NAMES.append(TOTAL)
    mark(); check("::TOTAL", copy.deepcopy(TOTAL)); check("::NAMES", copy.deepcopy(NAMES))
    globals()["TOTAL"] = "by dict"
    mark(); check("::TOTAL", copy.deepcopy(TOTAL))
    ADDED = [1]
    ADDED.append(2)
    mark(); check("::ADDED", copy.deepcopy(ADDED))


def identities():
    """Addresses are used again and again."""
    kept = []
    for n in range(3000):
        xs = [n]
        t = (n, [n])
        p = Point(n, [n])
        s = "text %d" % n
        b = p.__init__
        g = (i for i in range(n))
        e = {n: s}
        z = {n}
        x = ValueError(n)
        if n % 500 == 0:
            kept.append((xs, t, p, s, e, z))
            mark()
            check("xs", [n]); check("t", (n, [n])); check("p", copy.deepcopy(p))
            check("s", "text %d" % n); check("e", {n: "text %d" % n}); check("z", {n})
    mark(); check("kept", copy.deepcopy(kept))
    del b, g, x


def cycles():
    xs = [1]
    xs.append(xs)
    mark(); check("xs", copy.deepcopy(xs))
    xs[0] = 2
    mark(); check("xs", copy.deepcopy(xs))
    a = Point(1, None)
    a.y = Point(2, a)
    mark(); check("a", copy.deepcopy(a))
    a.y.x = 3
    mark(); check("a", copy.deepcopy(a))


def growing():
    """Beyond the limit of children."""
    xs = []
    d = {}
    for n in range(2500):
        xs.append(n)
        d[n] = n
    mark(); check("xs", copy.deepcopy(xs)); check("d", copy.deepcopy(d))
    xs[5] = "five"
    d[5] = "five"
    mark(); check("xs", copy.deepcopy(xs)); check("d", copy.deepcopy(d))
    del xs[3]
    del d[3]
    mark(); check("xs", copy.deepcopy(xs)); check("d", copy.deepcopy(d))


for case in (
    list_stores, list_methods, dicts, others, attributes, from_elsewhere, cells, module_globals,
    identities, cycles, growing,
):
    case()
print("done")
