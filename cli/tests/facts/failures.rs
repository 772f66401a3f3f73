//! Exceptions that ended a thread.

use crate::program::record;

#[test]
fn a_failure_tells_its_frames_with_the_lines_that_failed() {
    let text = "\
def check(n):
    if n < 0:
        raise ValueError(f'below zero: {n}')  # raise
    return n

def middle(n):
    try:
        return check(n)  # middle
    finally:
        n = None

def outer(n):
    try:
        middle(n)  # outer
    except ValueError:
        n = 0
        raise

check(5)
try:
    check(-1)
except ValueError:
    pass
outer(-3)  # main
";
    for recorded in record("failures", text) {
        assert_eq!(
            recorded.told(),
            [
                "ValueError: below zero: -3 | call 3 of 3 | check:raise middle:middle outer:outer <module>:main"
            ]
        );
        let failure = &recorded.failures()[0];
        assert_eq!(failure.message.as_deref(), Some("below zero: -3"));
        assert!(!failure.more);
    }
}

#[test]
fn of_a_chain_of_exceptions_the_last_is_the_failure() {
    let text = "\
def f():
    try:
        {}['k']
    except KeyError as error:
        raise RuntimeError('no k') from error  # raise

f()  # main
";
    for recorded in record("chain", text) {
        assert_eq!(
            recorded.told(),
            ["RuntimeError: no k | call 1 of 1 | f:raise <module>:main"]
        );
    }
}

#[test]
fn leaving_the_program_and_caught_exceptions_are_no_failures() {
    let text = "\
import sys
def g():
    yield 1
    yield 2
for n in g():
    try:
        raise ValueError(n)
    except ValueError:
        pass
sys.exit(3)
";
    for recorded in record("exit", text) {
        assert_eq!(recorded.told(), Vec::<String>::new());
    }
}

#[test]
fn failures_of_threads_recursion_and_generators_are_told_newest_first() {
    let text = "\
import threading
def work(n):
    raise KeyError(n)  # work

def deep(n):
    if n == 0:
        yield from numbers()  # yield
    else:
        yield from deep(n - 1)  # deeper

def numbers():
    yield 1
    raise LookupError('no more')  # numbers

threading.excepthook = lambda *a: None
thread = threading.Thread(target=work, args=(7,))
thread.start()
thread.join()
for n in deep(2):  # main
    pass
";
    for recorded in record("threads", text) {
        assert_eq!(
            recorded.told(),
            [
                "LookupError: no more | call 1 of 1 | numbers:numbers deep:yield deep:deeper deep:deeper <module>:main",
                "KeyError: 7 | call 1 of 1 | work:work",
            ]
        );
        let found = recorded.failures();
        assert_ne!(found[0].thread, found[1].thread);
    }
}
