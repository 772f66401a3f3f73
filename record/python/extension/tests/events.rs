//! What small programs give, on every Python there is.

mod support;

use support::check;

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
