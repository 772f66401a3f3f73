"""Marks parts of a program for Retrostep.

    with retrostep.record("checkout"):
        ...

    @retrostep.record
    def checkout(cart): ...

Of a program that imports this package only the marked parts are recorded, and each name becomes a
mark in the recording; `retrostep record --all` records the rest too. Without the recorder all of this
does nothing.
"""

try:
    import _retrostep
except ImportError:
    _retrostep = None
else:
    _retrostep.imported()

__all__ = ["record"]


class _Recording:
    __slots__ = ("_name",)

    def __init__(self, name):
        self._name = name

    def __enter__(self):
        if _retrostep is not None:
            _retrostep.begin(self._name)
        return self

    def __exit__(self, *exception):
        if _retrostep is not None:
            _retrostep.end()

    def __call__(self, function):
        return _wrapped(function, self._name)


def _wrapped(function, name):
    if _retrostep is None:
        return function
    import functools
    import inspect

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def recorded(*args, **kwargs):
            with _Recording(name):
                return await function(*args, **kwargs)

    elif inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def recorded(*args, **kwargs):
            with _Recording(name):
                return (yield from function(*args, **kwargs))

    else:

        @functools.wraps(function)
        def recorded(*args, **kwargs):
            with _Recording(name):
                return function(*args, **kwargs)

    return recorded


def record(name=None):
    """A context manager and decorator for the part of the program to record."""
    if callable(name):
        return _wrapped(name, name.__qualname__)
    return _Recording("recorded" if name is None else str(name))
