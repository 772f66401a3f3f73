"""Random changes of aliased, nested containers, each followed by a look at all of them."""

import collections
import copy
import random
import sys

import unrecorded


def mark():
    pass


def check(name, expected):
    pass


class Node:
    def __init__(self, value):
        self.value = value
        self.children = []


def scalar(rng):
    return rng.choice([None, True, rng.randrange(-5, 5), 1.5, "s%d" % rng.randrange(9), b"b", 2**70])


def fresh(rng, depth=0):
    kind = rng.randrange(6)
    if depth > 2 or kind == 0:
        return scalar(rng)
    if kind == 1:
        return [fresh(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 2:
        return {scalar(rng): fresh(rng, depth + 1) for _ in range(rng.randrange(4))}
    if kind == 3:
        return {scalar(rng) for _ in range(rng.randrange(4))}
    if kind == 4:
        return Node(fresh(rng, depth + 1))
    return collections.deque([fresh(rng, depth + 1) for _ in range(rng.randrange(4))])


def change_list(rng, x, item):
    n = rng.randrange(12)
    if n == 0:
        x.append(item)
    elif n == 1 and x:
        x[rng.randrange(-len(x), len(x))] = item
    elif n == 2 and x:
        x.pop()
    elif n == 3:
        x.insert(rng.randrange(len(x) + 1), item)
    elif n == 4 and x:
        del x[rng.randrange(len(x))]
    elif n == 5:
        x[1:2] = [item, item]
    elif n == 6:
        x += [item]
    elif n == 7:
        x.reverse()
    elif n == 8 and rng.randrange(4) == 0:
        x.clear()
    elif n == 9 and x:
        unrecorded.set_item(x, 0, item)
    elif n == 10:
        unrecorded.add_in_place(x, [item])
    elif n == 11 and x:
        x.pop(0)


def change_dict(rng, x, item):
    n = rng.randrange(9)
    key = scalar(rng)
    if n == 0:
        x[key] = item
    elif n == 1 and x:
        del x[rng.choice(list(x))]
    elif n == 2:
        x.setdefault(key, item)
    elif n == 3:
        x.update({key: item})
    elif n == 4 and x:
        x.popitem()
    elif n == 5:
        x.pop(key, None)
    elif n == 6:
        unrecorded.set_item(x, key, item)
    elif n == 7 and rng.randrange(4) == 0:
        x.clear()
    elif n == 8 and x:
        x[rng.choice(list(x))] = item


def change(rng, x, item):
    if isinstance(x, list):
        change_list(rng, x, item)
    elif isinstance(x, dict):
        change_dict(rng, x, item)
    elif isinstance(x, set):
        rng.choice([x.add, x.discard])(scalar(rng))
    elif isinstance(x, Node):
        n = rng.randrange(4)
        if n == 0:
            x.value = item
        elif n == 1:
            x.children.append(item)
        elif n == 2:
            setattr(x, "extra", item)
        else:
            unrecorded.set_attribute(x, "value", item)
    elif isinstance(x, collections.deque):
        n = rng.randrange(4)
        if n == 0:
            x.append(item)
        elif n == 1:
            x.appendleft(item)
        elif n == 2 and x:
            x.popleft()
        elif n == 3 and x:
            x[0] = item


def reachable(root, found, depth=0):
    if depth > 4:
        return
    if isinstance(root, (list, collections.deque)):
        children = list(root)
    elif isinstance(root, dict):
        children = list(root.values())
    elif isinstance(root, Node):
        children = [root.value, root.children]
    else:
        children = []
        if not isinstance(root, set):
            return
    if not any(root is known for known in found):
        found.append(root)
        for child in children:
            reachable(child, found, depth + 1)


def main(seed, rounds):
    rng = random.Random(seed)
    a, b, c = [fresh(rng, 0)], {"k": fresh(rng, 0)}, Node([1])
    for _ in range(rounds):
        found = []
        for root in (a, b, c):
            reachable(root, found)
        target = rng.choice(found)
        item = rng.choice([scalar(rng), fresh(rng, 1), None])
        if rng.randrange(6) == 0:
            other = rng.choice(found)
            below = []
            reachable(other, below)
            if not any(target is known for known in below):
                item = other
        del found
        change(rng, target, item)
        mark(); check("a", copy.deepcopy(a)); check("b", copy.deepcopy(b)); check("c", copy.deepcopy(c))


main(int(sys.argv[1]), int(sys.argv[2]))
print("done")
