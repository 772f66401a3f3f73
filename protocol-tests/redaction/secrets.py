"""Reads secrets from standard input and keeps each under a name that hides it, and one open text.

No secret stands in this file. The names that hide are those of every recording, and `pin`.
"""

import asyncio
import collections
import dataclasses
import sys
import threading
import types
import typing


read = sys.stdin.readline

OPEN = read()
PASSWORD = read()


class Account:
    api_key = read()

    def __init__(self):
        self.token = read()
        self.__dict__["auth_cookie"] = read()
        self.pin = int(read())
        self.visible = OPEN

    @property
    def password(self):
        return self.token


class Slotted:
    __slots__ = ("secret", "visible")

    def __init__(self):
        self.secret = read()
        self.visible = OPEN


Login = collections.namedtuple("Login", "user password")


class Typed(typing.NamedTuple):
    user: str
    api_key: str


@dataclasses.dataclass
class Card:
    owner: str
    pin: str
    secret_parts: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    token: str


class Refused(Exception):
    def __init__(self, token):
        super().__init__("refused")
        self.token = token


def argument(password, *, token=None, **kwargs):
    visible = OPEN
    del password
    return len(visible)


def default(passwd=read()):
    return passwd is None


def get_password():
    return read()


def yield_token():
    yield read()
    return read()


def closure():
    secret = read()

    def check(other):
        nonlocal secret
        same = secret == other
        secret = read()
        return same

    return check


def generator():
    token = read()
    for access_token in [token]:
        yield len(access_token)


def comprehension():
    return [len(password) for password in [read(), read()]]


def unpacked():
    (user, password), *token = ("ada", read()), read(), read()
    return user


def changed():
    secret = [read()]
    secret.append(read())
    secret[0] = read()
    secret += [read()]
    return len(secret)


def mapping():
    settings = {"Authorization": read(), "x-api-key": read(), "visible": OPEN}
    settings["cookie"] = read()
    settings.setdefault("Password", read())
    settings.update(token=read())
    settings.update({"nested": {"passwd": read()}})
    ordered = collections.OrderedDict(api_key=read())
    by_default = collections.defaultdict(str, secret=read())
    settings[b"token"] = read().encode()
    del settings["cookie"]
    return len(settings) + len(ordered) + len(by_default)


def objects():
    account = Account()
    slotted = Slotted()
    login = Login("ada", read())
    typed = Typed("ada", read())
    login = login._replace(password=read())
    card = Card("ada", read(), [read()])
    card.pin = read()
    frozen = Frozen(read())
    space = types.SimpleNamespace(token=read(), visible=OPEN)
    account.token = read()
    setattr(account, "session_cookie", read())
    slotted.secret = read()
    Account.api_key = read()
    return [account.visible, slotted.visible, login.user, typed.user, card.owner, frozen is None, space.visible]


def bytes_and_numbers():
    token = read().encode()
    secret = bytearray(read().encode())
    secret.extend(read().encode())
    pin = int(read())
    pin += 1
    return len(token) + len(secret)


def raised():
    try:
        raise Refused(token=read())
    except Refused as error:
        kind = type(error).__name__
    return kind


def raised_by_position():
    try:
        raise Refused(read())
    except Refused as error:
        kind = type(error).__name__
    return kind


def caught():
    try:
        password = int(read())
    except ValueError:
        password = None
    return password is None


def matched():
    with open(__file__) as secret:
        secret = read()
    while (token := read()) is None:
        pass
    for password in (read(),):
        pass
    global passwd
    passwd = read()
    return len(secret)


async def waited():
    token = read()
    await asyncio.sleep(0)
    token += read()
    return len(token)


def threaded():
    thread = threading.Thread(target=argument, args=(), kwargs={"password": read(), "token": read()})
    thread.start()
    thread.join()
    return None


def main():
    argument(read(), token=read(), cookie=read())
    default()
    default(read())
    password = get_password()
    for token in yield_token():
        password += token
    check = closure()
    check(OPEN)
    print(sum(generator()), comprehension(), unpacked(), changed(), mapping())
    print(len(objects()), bytes_and_numbers() > 0, raised(), caught(), matched() > 0)
    print(asyncio.run(waited()), threaded())
    exec("secret = read()\nvisible = OPEN\n", globals())


main()
raised_by_position()
print("left over:", len(sys.stdin.read()))
