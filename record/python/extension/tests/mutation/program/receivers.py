"""The same lines with variables that hold something else each time.

What a line may change is told from what its variables hold when it begins; here that is different
from one run of a line to the next.
"""

import collections
import copy
import sys

import unrecorded


def mark():
    pass


def check(name, expected):
    pass


class Own:
    """Has the methods of a list, recorded."""

    def __init__(self):
        self.items = []
        self.name = ""

    def append(self, item):
        self.items.append(item)

    def update(self, other):
        self.items.extend(other)

    def __setitem__(self, key, value):
        self.items.append((key, value))

    def __iadd__(self, other):
        self.items.extend(other)
        return self

    def __eq__(self, other):
        return self.items == other.items


class ListChild(list):
    pass


class DictChild(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, value)




def add(target, item):
    target.append(item)
    mark(); check("target", copy.deepcopy(target))


def store(target, key, value):
    target[key] = value
    mark(); check("target", copy.deepcopy(target))


def store_twice(target, key, other, value):
    target[key] = target[other] = value
    mark(); check("target", copy.deepcopy(target))


def store_and_rebind(target, key, value):
    kept = target
    target[key], target = value, []
    mark(); check("kept", copy.deepcopy(kept)); check("target", [])


def store_by_changed_key(target, value):
    key = 0
    while key < 2:
        target[key] = value; key += 1
        mark(); check("target", copy.deepcopy(target))


def store_and_resize(target, value):
    target[-1] = value; target.append(0)
    mark(); check("target", copy.deepcopy(target))
    target[-2] = [value]; target.pop()
    mark(); check("target", copy.deepcopy(target))
    target[0] = value; target.append(target.pop())
    mark(); check("target", copy.deepcopy(target))
    target[-1] = value
    mark(); check("target", copy.deepcopy(target))


def grow(target, more):
    kept = target
    target += more
    mark(); check("target", copy.deepcopy(target)); check("kept", copy.deepcopy(kept))


def call(function, target, *rest):
    function(target, *rest)
    mark(); check("target", copy.deepcopy(target))


def call_plainly(function, target, item):
    function(target, item)
    mark(); check("target", copy.deepcopy(target))


def name_it(target, name):
    target.name = name
    mark(); check("target", copy.deepcopy(target))


class Plain:
    kind = "plain"

    def __init__(self):
        self.name = "first"

    def __eq__(self, other):
        return vars(self) == vars(other)


class Watched(unrecorded.Watching):
    def __init__(self):
        self.log = []
        self.name = "first"


class Computed(Plain):
    @property
    def name(self):
        return self._name

    @name.setter
    def name(self, new):
        self._name = new
        self.names = getattr(self, "names", 0) + 1


class InSlots:
    __slots__ = ("name", "other")

    def __init__(self):
        self.name = "first"


class Late:
    """Its attributes come one by one."""


def name_often(target):
    for name in ("a", "a", "b", [1], None, "c"):
        target.name = name
        mark(); check("target", copy.copy(target))


def other_attributes(target):
    target.kind = target.more = 1
    mark(); check("target", copy.copy(target))
    vars(target)["kind"] = 2
    mark(); check("target", copy.copy(target))
    target.kind = 3
    mark(); check("target", copy.copy(target))
    del target.kind
    mark(); check("target", copy.copy(target))
    target.kind = 4
    mark(); check("target", copy.copy(target))


def loop(target, count):
    for place in range(count): target[place] = place + 1
    mark(); check("target", copy.deepcopy(target))
    for place in range(count):
        target[place] = str(place)
        mark(); check("target", copy.deepcopy(target))


def either(flag, one, other, value):
    (one if flag else other).append(value)
    mark(); check("one", copy.deepcopy(one)); check("other", copy.deepcopy(other))


def either_item(flag, one, other, value):
    (one
     if flag
     else other)[0] = value
    mark(); check("one", copy.deepcopy(one)); check("other", copy.deepcopy(other))


def append_recorded(target, item):
    target.append(item)


def changer(target, item):
    target.append(item)


def call_global(target, item):
    changer(target, item)
    mark(); check("target", copy.deepcopy(target))


def call_late(target, item):
    # The global is exchanged by the argument, after the line has begun.
    changer(target, exchange(item))
    mark(); check("target", copy.deepcopy(target))


def exchange(item):
    return item


def steps(target):
    for number in range(3):
        got = yield number
        target.append(got)
        mark(); check("target", copy.deepcopy(target))


def suspended(target):
    target.append((yield 1))
    mark(); check("target", copy.deepcopy(target))
    changer(target, (yield 2))
    mark(); check("target", copy.deepcopy(target))


def rebinds(values):
    value = values
    if value is not None:
        value = list(value)
    mark(); check("value", copy.deepcopy(value))
    value, other = (value or [])[::-1], value
    mark(); check("value", copy.deepcopy(value)); check("other", copy.deepcopy(other))
    try:
        value = 1 / 0
    except ZeroDivisionError as error:
        value = "failed"
        mark(); check("value", "failed")
    mark(); check("value", "failed")
    with open(__file__) as value:
        value = value.readline()[:3]
    mark(); check("value", '"""')
    del value
    value = [n for n in range(3)]
    mark(); check("value", [0, 1, 2])
    if (value := len(value)) > 2: value += 1
    mark(); check("value", 4)
    import os.path as value
    value = value.basename("a/b")
    mark(); check("value", "b")
    for value in ((1, 2), (3, 4)): one, two = value
    mark(); check("one", 3); check("two", 4); check("value", (3, 4))


def closure(start):
    total = start

    def step(by):
        nonlocal total
        total = total + by
        mark(); check("total", copy.deepcopy(total))

    return step


def main():
    for target in ([], Own(), collections.deque(), ListChild(), bytearray(b"a"), []):
        add(target, 7)
        add(target, 8)
    for _ in range(3):
        store([0, 1], 1, 5)
        store({"a": 1}, "a", 2)
        store({}, 1, [2])
        store({}, (1, 2), 3)
        store(Own(), 1, 2)
        store(DictChild(), "k", 1)
        store(collections.OrderedDict(x=1), "y", 1)
        store(collections.defaultdict(list), "y", 1)
        store(bytearray(b"abc"), 1, 65)
        store([1, 2, 3], slice(0, 2), [9])
        store([1, 2, 3], -1, 9)
        store([1, 2, 3], True, 9)
        store({str(n): n for n in range(50)}, "7", "seven")
        store({str(n): n for n in range(50)}, "new", 1)
        store_twice({}, "a", "b", 1)
        store_twice({"a": 1, "b": 2}, "b", "a", [3])
        store_twice([1, 2], 0, 1, "x")
        store_and_rebind([1, 2], 0, "x")
        store_and_rebind({"k": 1}, "k", "x")
        store_and_resize([1, 2, 3], "y")
        store_by_changed_key([1, 2], "x")
        store_by_changed_key({}, "y")
        grow(1, 2)
        grow("a", "b")
        grow([1], [2])
        grow((1,), (2,))
        grow(Own(), [1])
        grow(2.5, 1)
        name_it(Own(), "n")
        for make in (Plain, Watched, Computed, InSlots, Late, Plain, Plain):
            name_often(make())
        for make in (Plain, Late, Watched):
            other_attributes(make())
        loop([0] * 4, 4)
        loop({}, 4)
        either(True, [], [1], 2)
        either(False, [], [1], 2)
        either_item(True, [0], [1], 2)
        either_item(False, [0], [1], 2)
    for function in (append_recorded, list.append, unrecorded.keep, append_recorded):
        call(function, [], *([1] if function is not unrecorded.keep else []))
    for function in (append_recorded, list.append, lambda t, i: t.append(i), append_recorded):
        call_plainly(function, [], 1)
        call_plainly(function, [5], 2)
    call(unrecorded.set_item, [1, 2], 0, "foreign")
    globals_of = sys.modules[__name__].__dict__
    ours = changer
    for other in (ours, unrecorded.append_item, ours, unrecorded.append_item, list.append, ours):
        globals_of["changer"] = other
        call_global([], 1)
        call_global([2], 3)
    globals_of["changer"] = ours
    call_late([], 1)
    for target in ([], Own(), collections.deque()):
        generator = steps(target)
        next(generator)
        for item in "ab":
            generator.send(item)
    waiting = suspended([])
    next(waiting)
    waiting.send(1)
    globals_of["changer"] = unrecorded.append_item
    try:
        waiting.send(2)
    except StopIteration:
        pass
    globals_of["changer"] = ours
    rebinds((1, 2))
    rebinds(None)
    for start in (1, [0], "a"):
        step = closure(start)
        step(start)
        step(start)


for _ in range(3):
    main()
print("done")
