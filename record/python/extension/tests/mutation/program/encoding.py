"""One value of every kind, and values that must not leave the process."""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import math
import pathlib
import re
import struct
import sys
import types
import typing
import uuid


def mark():
    pass


def never(*_):
    print("program code ran")
    raise AssertionError("program code ran while recording")


class Hostile:
    """Nothing of this may be called."""

    def __init__(self):
        self.kept = 1

    __repr__ = __str__ = __eq__ = __hash__ = __len__ = __iter__ = __bool__ = never
    __getattr__ = never

    @property
    def computed(self):
        never()


class HostileMeta(type):
    def __getattribute__(cls, name):
        if name in ("__qualname__", "__module__", "__name__"):
            never()
        return super().__getattribute__(name)


class Meta(metaclass=HostileMeta):
    pass


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 3


class Text(str):
    pass


class Number(int):
    def __repr__(self):
        never()


class Pair(typing.NamedTuple):
    left: int
    right: str


class Login(typing.NamedTuple):
    user: str
    password: str


@dataclasses.dataclass
class Row:
    limit: typing.ClassVar[int] = 5
    name: str
    size: int = 0


class OrderError(ValueError):
    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


class HostileError(Exception):
    __str__ = never


@dataclasses.dataclass
class Account:
    user: str
    api_key: str
    nested: dict


def generator():
    yield 1


def scalars():
    small = -1
    big = 2**63
    bigger = -(2**70) - 1
    edge = -(2**63)
    zero = -0.0
    nan = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000123))[0]
    infinite = -math.inf
    complicated = 1 - 2j
    latin = "caf\xe9"
    wide = "\u20ac\u0100"
    astral = "a\U0001f600"
    lone = "x\udc80y"
    raw = b"\x00\xff"
    dots = ...
    refused = NotImplemented
    mark()
    return small, big, bigger, edge, zero, nan, infinite, complicated, latin, wide, astral, lone, raw, dots, refused


def objects():
    hostile = Hostile()
    mapping = {"h": hostile}
    meta = Meta()
    colour = Colour.RED
    level = Level.HIGH
    text = Text("t")
    number = Number(7)
    flag = True
    pair = Pair(1, "r")
    row = Row("n")
    ordered = collections.OrderedDict(b=1, a=2)
    counted = collections.Counter("aab")
    defaulting = collections.defaultdict(list, k=[1])
    frozen = frozenset([1])
    price = decimal.Decimal("1.50")
    half = fractions.Fraction(1, 2)
    day = datetime.date(2024, 2, 29)
    moment = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc)
    clock = datetime.time(1, 2, 3)
    span = datetime.timedelta(days=1, seconds=2)
    ident = uuid.UUID(int=0x1234)
    path = pathlib.PurePosixPath("/a", "b//c")
    relative = pathlib.Path("x/./y")
    steps = range(1, 10, 2)
    piece = slice(1, None, 2)
    pattern = re.compile("a+b", re.I)
    found = pattern.match("aab")
    plain = ValueError("bad", 1)
    single = KeyError("k")
    missing = FileNotFoundError(2, "No such file", "f.txt")
    own = OrderError("no stock", 42)
    hidden = HostileError(1)
    chained = RuntimeError("outer")
    chained.__cause__ = ValueError("inner")
    function = scalars
    bound = row.__init__
    builtin = len
    method = [].append
    module = math
    kind = Hostile
    running = generator()
    numbers = array.array("h", [1, -2])
    view = memoryview(b"ab")
    proxy = types.MappingProxyType({"k": 1})
    queue = collections.deque([1, 2], maxlen=5)
    buffer = bytearray(b"ab")
    space = types.SimpleNamespace(a=1)
    long = list(range(2000))
    mark()
    del hostile, mapping, meta, long
    return (
        colour, level, text, number, flag, pair, row, ordered, counted, defaulting, frozen, price, half, day,
        moment, clock, span, ident, path, relative, steps, piece, pattern, found, plain, single, missing, own,
        hidden, chained, function, bound, builtin, method, module, kind, running, numbers, view, proxy, queue,
        buffer, space,
    )


def secrets(password, apiToken="tk-1-leak"):
    account = Account("ann", "ak-2-leak", {"client_secret": ["cs-3-leak"], "plain": "shown-1"})
    headers = {"X-Api-Key": "xk-4-leak", "Accept": "shown-2"}
    secretary = "shown-3"
    user_password = ["up-5-leak"]
    user_password.append("up-6-leak")
    headers["csrf_token"] = "ct-7-leak"
    account.api_key = "ak-8-leak"
    setattr(account, "api_key", "ak-9-leak")
    headers.update({"api_key": "xk-10-leak"})

    def inner():
        return [len(password), len(token)]

    login = Login("shown-4", "nt-15-leak")
    environ = {b"STRIPE_API_KEY": b"bk-16-leak", b"HOME": b"shown-5"}
    environ[b"session_token"] = b"bk-17-leak"
    token = "cell-11-leak"
    token = "cell-12-leak"
    mark()
    del login, environ
    return len(inner()) + len(secretary) + len(apiToken)


API_KEY = "global-13-leak"

scalars()
objects()
secrets("pw-14-leak")
print("done", sys.version_info[:2])
