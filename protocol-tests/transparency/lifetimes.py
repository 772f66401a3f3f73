"""When objects die, in functions, loops, cycles, exceptions and at the end."""
import gc
import weakref


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("del", self.name)


def rebinding():
    value = Noisy("first")
    value = Noisy("second")
    print("rebound")
    value = None
    print("gone")


def loop():
    for number in range(3):
        noisy = Noisy("loop %d" % number)
        held = [noisy]
        held.append(noisy)
        print("pass", number)


def raising():
    local = Noisy("local of raising")
    raise ValueError(local.name)


def generator():
    kept = Noisy("kept by generator")
    yield 1
    yield 2


def containers():
    box = {"a": Noisy("value"), "b": [Noisy("element")]}
    reference = weakref.ref(box["a"], lambda _: print("callback"))
    del box["a"]
    print(reference() is None)
    box["b"][0] = None
    print("replaced")
    box["b"].append(Noisy("appended"))
    box["b"].pop()
    print("popped")
    data = weakref.WeakSet()
    data.add(Noisy("weak set"))
    print(len(data))
    temporary = [Noisy("t%d" % n) for n in range(2)]
    temporary.clear()
    print("cleared")


def arguments(noisy):
    del noisy
    print("after del of the argument")


gc.disable()
rebinding()
loop()
try:
    raising()
except ValueError as error:
    print("caught", error)
print("after except")
running = generator()
next(running)
del running
print("generator dropped")
containers()
arguments(Noisy("argument"))
cycle = Noisy("cycle")
cycle.me = cycle
del cycle
print(gc.collect() > 0)
text = "x"
for number in range(1000):
    text += "x"
print(len(text))
at_end = Noisy("global at the end")
