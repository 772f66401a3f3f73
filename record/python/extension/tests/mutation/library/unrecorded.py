"""Code outside the recorded scope that changes what it is given."""

import dataclasses

KEPT = []


def keep(value):
    KEPT.append(value)


def append_to_kept(item):
    for value in KEPT:
        value.append(item)


def append_item(container, item):
    container.append(item)


def set_item(container, key, value):
    container[key] = value


def delete_item(container, key):
    del container[key]


def set_attribute(target, name, value):
    setattr(target, name, value)


def add_in_place(container, other):
    container += other


def deep_change(target):
    target["a"]["b"].append(3)
    target["a"]["c"] = (1, 2)


def fill(target):
    target.name = "filled"
    target.items = [1, 2]
    target.items.append(3)


def call_back(function, target):
    target.append("before")
    function()
    target.append("after")
    function()


class Base:
    def __init__(self):
        self.base = 1
        self.shared = {"x": 1}

    def touch(self):
        self.base += 1
        self.shared["y"] = self.base


@dataclasses.dataclass
class Record:
    name: str
    tags: list
    total: int = 0

    def bump(self):
        self.total += 1
        self.tags.append(self.total)


class Watching:
    """Notes each assignment in another attribute."""

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        self.log.append(name)
        object.__setattr__(self, "last", name)
