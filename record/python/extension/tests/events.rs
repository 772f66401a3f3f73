//! What small programs give, on every Python there is.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a failing test panics, and says what it could not test"
)]

mod support;

use retrostep_record_python_wire::Access;
use support::{check, check_as, everywhere, pythons, record, record_as};

#[test]
fn calls_lines_and_writes_come_in_the_order_they_happen() {
    check(
        "\
def add(a, b):
    total = a + b
    return total

def main():
    x = add(1, 2)
    y = x; z = 'text'
    return y

main()
",
        &[
            "call <module>",
            "line 1",
            "line 5",
            "line 10",
            "call main",
            "line 6",
            "call add",
            "a = 1",
            "b = 2",
            "line 2",
            "total = 3",
            "line 3",
            "return 3",
            "x = 3",
            "line 7",
            "y = 3",
            "z = 'text'",
            "line 8",
            "return 3",
            "return None",
        ],
    );
}

#[test]
fn a_generator_keeps_its_frame_through_throw_and_close() {
    check(
        "\
def steps():
    try:
        got = yield 1
    except ValueError as error:
        got = str(error)
    try:
        yield got
    finally:
        done = 1

gen = steps()
next(gen)
gen.throw(ValueError('x'))
gen.close()
",
        &[
            "call <module>",
            "line 1",
            "line 11",
            "line 12",
            "call steps",
            "line 2",
            "line 3",
            "yield 1",
            "line 13",
            "resume steps",
            "raise ValueError('x')",
            "line 4",
            "error = ValueError('x')",
            "line 5",
            "got = 'x'",
            "error = <unbound>",
            "line 6",
            "line 7",
            "yield 'x'",
            "line 14",
            "resume steps",
            "raise GeneratorExit()",
            "line 9",
            "done = 1",
            "unwind GeneratorExit()",
            "return None",
        ],
    );
}

#[test]
fn an_exception_is_raised_once_and_leaves_each_frame() {
    check(
        "\
def inner():
    raise KeyError('k')
def outer():
    try:
        inner()
    except KeyError as error:
        kept = error
        raise
def again():
    int('x')
try:
    outer()
except KeyError:
    pass
try:
    again()
except ValueError:
    pass
",
        &[
            "call <module>",
            "line 1",
            "line 3",
            "line 9",
            "line 11",
            "line 12",
            "call outer",
            "line 4",
            "line 5",
            "call inner",
            "line 2",
            "raise KeyError('k')",
            "unwind KeyError('k')",
            "line 6",
            "error = KeyError('k')",
            "line 7",
            "kept = KeyError('k')",
            "line 8",
            "error = <unbound>",
            "unwind KeyError('k')",
            "line 13",
            "line 14",
            "line 15",
            "line 16",
            "call again",
            "line 10",
            "raise ValueError('invalid literal for int() with base 10: 'x'')",
            "unwind ValueError('invalid literal for int() with base 10: 'x'')",
            "line 17",
            "line 18",
            "return None",
        ],
    );
}

const CLOSURE: &str = "\
def counter(start):
    def add(step):
        nonlocal start
        start += step
        return start
    add(2)
    return start
counter(5)
";

#[test]
fn a_closure_shows_what_its_cell_holds() {
    check_as(
        Access::Direct,
        CLOSURE,
        &[
            "call <module>",
            "line 1",
            "line 8",
            "call counter",
            "start = cell(5)",
            "line 2",
            "add = function()",
            "line 6",
            "call counter.<locals>.add",
            "step = 2",
            "start = cell(5)",
            "line 4",
            "cell 7",
            "line 5",
            "return 7",
            "line 7",
            "return 7",
            "return None",
        ],
    );
}

#[test]
fn a_closure_shows_its_variables_where_cells_are_out_of_sight() {
    check_as(
        Access::Asked,
        CLOSURE,
        &[
            "call <module>",
            "line 1",
            "line 8",
            "call counter",
            "start = 5",
            "line 2",
            "add = function()",
            "line 6",
            "call counter.<locals>.add",
            "step = 2",
            "start = 5",
            "line 4",
            "start = 7",
            "line 5",
            "return 7",
            "start = 7",
            "line 7",
            "return 7",
            "return None",
        ],
    );
}

#[test]
fn a_list_shows_what_each_line_did_to_it() {
    for (python, access) in everywhere() {
        let run = record_as(
            &python,
            "\
def fill(row, point):
    row[0] = 5
    point.x = row[0] + 1
    return 0
class Point: pass
fill([1, 2], Point())
",
            access,
        );
        let changes: Vec<&str> = run
            .events
            .iter()
            .skip_while(|event| *event != "line 2")
            .take_while(|event| *event != "return 0")
            .map(|event| match event.strip_prefix("object ") {
                Some(change) => change.split_once(' ').unwrap().1,
                None => event,
            })
            .collect();
        assert_eq!(
            changes,
            ["line 2", "0 = 5", "line 3", "x = 6", "line 4"],
            "Python 3.{}, {access:?}",
            python.minor
        );
    }
}

#[test]
fn a_class_body_and_a_one_line_function_have_their_lines() {
    check(
        "\
class Point:
    x = 1
    def get(self): return self.x
def one(): a = 1; return a
Point().get()
one()
one()
",
        &[
            "call <module>",
            "line 1",
            "call Point",
            "line 1",
            "line 2",
            "line 3",
            "return None",
            "line 4",
            "line 5",
            "call Point.get",
            "self = Point()",
            "line 3",
            "return 1",
            "line 6",
            "call one",
            "line 4",
            "a = 1",
            "return 1",
            "line 7",
            "call one",
            "line 4",
            "a = 1",
            "return 1",
            "return None",
        ],
    );
}

#[test]
fn threads_of_both_sorts_are_recorded_with_name_and_end() {
    let source = "\
import _thread, threading
def work(n):
    return n
thread = threading.Thread(target=work, args=(3,), name='worker')
thread.start()
thread.join()
lock = _thread.allocate_lock()
lock.acquire()
def raw():
    lock.release()
_thread.start_new_thread(raw, ())
lock.acquire()
";
    for (python, access) in everywhere() {
        let run = record_as(&python, source, access);
        let of = |prefix: &str| -> Vec<&str> {
            run.events
                .iter()
                .filter(|event| !event.contains("object "))
                .filter_map(|event| event.strip_prefix(prefix))
                .collect()
        };
        assert_eq!(
            of("[1] "),
            [
                "thread worker",
                "call work",
                "n = 3",
                "line 3",
                "return 3",
                "thread ends"
            ]
        );
        let raw = of("[2] ");
        assert_eq!(raw[..3], ["thread thread 2", "call raw", "line 10"]);
        assert_eq!(
            of("line "),
            ["1", "2", "4", "5", "6", "7", "8", "9", "11", "12"]
        );
    }
}

#[test]
fn tasks_are_told_when_their_coroutines_run() {
    check(
        "\
import asyncio
async def child(n):
    await asyncio.sleep(0)
    return n
async def main():
    return await asyncio.create_task(child(1), name='kid') + 1
asyncio.run(main())
",
        &[
            "call <module>",
            "line 1",
            "line 2",
            "line 5",
            "line 7",
            "task 0 Task-1",
            "in task 0",
            "call main",
            "line 6",
            "yield Task()",
            "no task",
            "task 1 kid",
            "in task 1",
            "call child",
            "n = 1",
            "line 3",
            "yield None",
            "no task",
            "in task 1",
            "resume child",
            "line 4",
            "return 1",
            "task 1 ends",
            "no task",
            "in task 0",
            "resume main",
            "return 2",
            "task 0 ends",
            "no task",
            "return None",
        ],
    );
}

#[test]
fn output_is_told_once_whichever_way_it_goes() {
    check(
        "\
import os, sys
print('a', 1)
sys.stdout.write('b')
sys.stdout.flush()
sys.stdout.buffer.write(b'c')
sys.stdout.buffer.flush()
os.write(1, b'd')
sys.stderr.write('e')
",
        &[
            "call <module>",
            "line 1",
            "line 2",
            "output 1 \"a\"",
            "output 1 \" \"",
            "output 1 \"1\"",
            "output 1 \"\\n\"",
            "line 3",
            "output 1 \"b\"",
            "line 4",
            "line 5",
            "output 1 \"c\"",
            "line 6",
            "line 7",
            "output 1 \"d\"",
            "line 8",
            "output 2 \"e\"",
            "return None",
        ],
    );
}

#[test]
fn a_caught_exception_that_goes_on_is_the_one_that_leaves() {
    for python in pythons() {
        let run = record(
            &python,
            "\
class Closing:
    def __enter__(self):
        return self
    def __exit__(self, *what):
        try:
            raise OSError('closing')
        except OSError:
            pass
async def fails():
    try:
        raise OSError('first')
    except OSError:
        pass
    async for item in Steps():
        pass
class Steps:
    def __aiter__(self):
        return self
    async def __anext__(self):
        raise ValueError('step')
def bare():
    try:
        raise KeyError('one')
    except KeyError:
        pass
    try:
        raise KeyError('two')
    except KeyError:
        note = 1
        raise
def unmatched():
    try:
        raise KeyError('three')
    except LookupError:
        pass
    try:
        raise KeyError('four')
    except ValueError:
        pass
    except OSError:
        pass
def managed():
    try:
        raise KeyError('five')
    except KeyError:
        pass
    with Closing() as closing:
        raise KeyError('six')
def driven():
    try:
        fails().send(None)
    finally:
        done = 1
for function in [bare, unmatched, managed, driven]:
    try:
        function()
    except Exception as error:
        pass
try:
    gone = 1 / 0
except ZeroDivisionError:
    pass
try:
    raise KeyError('last')
finally:
    done = 1
",
        );
        let left: Vec<&str> = run
            .events
            .iter()
            .filter_map(|event| event.strip_prefix("unwind "))
            .collect();
        assert_eq!(
            left,
            [
                "KeyError('two')",
                "KeyError('four')",
                "KeyError('six')",
                "ValueError('step')",
                "ValueError('step')",
                "ValueError('step')",
                "KeyError('last')",
            ],
            "{}",
            python.minor
        );
    }
}

#[test]
fn the_exception_that_leaves_is_never_another_one() {
    for (python, access) in everywhere() {
        let run = record_as(
            &python,
            "\
def f():
    try:
        raise KeyError('first')
    finally:
        try:
            raise ValueError('second')
        except ValueError:
            pass
def g():
    with open('nothing') as file:
        pass
try:
    f()
except KeyError:
    pass
try:
    g()
except OSError:
    pass
",
            access,
        );
        let left: Vec<&str> = run
            .events
            .iter()
            .filter_map(|event| event.strip_prefix("unwind "))
            .collect();
        assert_eq!(left.len(), 2, "{:#?}", run.events);
        // Up to 3.11 only the operands of an instruction tell which of the two it is.
        let expected = if access == Access::Asked && python.minor < 12 {
            "<unavailable 5>"
        } else {
            "KeyError('first')"
        };
        assert_eq!(left[0], expected, "3.{} {access:?}", python.minor);
        assert!(left[1].starts_with("FileNotFoundError("), "{}", left[1]);
    }
}
