"""Frees methods that hold each other in a long chain: the interpreter's guard against deep recursion
has to work recorded too."""


def chain():
    held = None
    for _ in range(300_000):
        held = held.__dir__
    return held


held = chain()
del held
print("freed")
