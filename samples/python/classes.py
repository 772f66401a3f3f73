"""Attributes in every place where Python keeps them."""
import enum
import types
from dataclasses import dataclass, field, replace
from typing import NamedTuple


class Account:
    """Instance and class attributes, a property that counts its reads."""

    opened = 0
    reads = 0

    def __init__(self, owner, balance=0):
        self.owner = owner
        self._balance = balance
        self.log = []
        Account.opened += 1

    @property
    def balance(self):
        Account.reads += 1
        return self._balance

    @balance.setter
    def balance(self, value):
        self.log.append((self._balance, value))
        self._balance = value  # mark: set

    @classmethod
    def joint(cls, *owners):
        return cls(" and ".join(owners))

    @staticmethod
    def fee(amount):
        return amount // 100

    def __repr__(self):
        raise AssertionError("nobody may call this while recording")


class Savings(Account):
    rate = 3

    def add_interest(self):
        before = self.balance
        self.balance += before * self.rate // 100
        self.balance -= super().fee(before)
        return self._balance


class Point:
    __slots__ = ("x", "y", "label")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def move(self, by):
        self.x += by
        self.label = f"{self.x},{self.y}"  # mark: label
        return self


@dataclass
class Line:
    start: tuple
    end: tuple = (0, 0)
    tags: list = field(default_factory=list)

    def __post_init__(self):
        self.length = abs(self.start[0] - self.end[0])


@dataclass(frozen=True)
class Fixed:
    value: int


class Colour(enum.Enum):
    RED = 1
    BLUE = "b"

    @property
    def low(self):
        return self.name.lower()


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Counting(dict):
    def __missing__(self, key):
        self[key] = 0
        return 0


def meta():
    class Base:
        registry = []

        def __init_subclass__(cls, **options):
            cls.registry.append((cls.__name__, options.get("tag")))

    class First(Base, tag=1):
        x = 1
        y = x + 1

        def method(self):
            return self.x, self.y

    made = type("Made", (Base,), {"z": 3})
    first = First()
    first.x = 5
    del first.x
    setattr(first, "y", "set")
    first.__dict__["direct"] = True
    return Base.registry, First().method(), made.z, first.y, vars(first)


class Meter:
    def __init__(self):
        self.level = 1

    def rise(self, by):
        self.level += by
        return self.level


def dictionary():
    meter = Meter()
    held = vars(meter)
    level = meter.rise(2)
    meter.level = 9
    held["level"] = 11
    level = meter.level
    return level, held


class Noted(types.ModuleType):
    note = 1


def reassigned():
    made = types.ModuleType("made")
    made.__class__ = Noted
    note = made.note
    made.__class__ = types.ModuleType
    meter = Meter()
    meter.__class__ = Gauge
    return note, hasattr(made, "note"), meter.read()


class Gauge(Meter):
    def read(self):
        return self.level + 1


def main():
    account = Savings("Ada", 200)
    account.balance = 1000
    print(account.add_interest(), account.log, Account.reads)
    print(Account.joint("Ben", "Cleo").owner, Account.opened)
    point = Point(1, 2).move(3)
    print(point.label, point.x)
    line = Line((4, 4))
    line.tags.append("steep")
    other = replace(line, end=(1, 1))
    print(line.length, other.length, other.tags is line.tags)
    fixed = Fixed(1)
    try:
        fixed.value = 2
    except AttributeError as error:
        print(type(error).__name__)
    print(Colour.RED.low, Colour("b"), [colour.value for colour in Colour])
    pair = Pair(1)._replace(right="q")
    left, right = pair
    print(pair, left, right)
    counts = Counting()
    for letter in "abca":
        counts[letter] += 1
    print(dict(counts))
    print(meta())
    print(dictionary())
    print(reassigned())


if __name__ == "__main__":
    main()
