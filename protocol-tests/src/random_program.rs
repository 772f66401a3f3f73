//! Random small programs with a fixed seed: assignments, aliasing, containers in containers, calls,
//! loops, exceptions, generators and classes.

use std::fmt::Write as _;

/// The text of the program of `seed`. It always ends, and prints what it has computed.
pub fn text(seed: u64) -> String {
    let mut generator = Generator {
        state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        text: String::new(),
    };
    generator.program();
    generator.text
}

/// The names of every function: `n` and `m` hold numbers, `s` text, `a` and `b` lists, `d` a dict,
/// `t` a tuple, `e` a set, `o` an instance.
const PRELUDE: &str = r#"class Box:
    total = 0

    def __init__(self, n):
        self.n = n
        self.items = []

    def add(self, value):
        self.items.append(value)
        self.n += len(self.items)
        Box.total += 1
        return self.n


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x):
        self.x = x
        self.y = [x]


def count(n):
    for i in range(n):
        got = yield i * 2
        if got:
            n = got


def adder(start):
    total = start

    def add(value):
        nonlocal total
        total = total + value
        return total

    return add


"#;

#[derive(Debug)]
struct Generator {
    state: u64,
    text: String,
}

impl Generator {
    fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) % bound
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        let index = self.below(choices.len() as u64) as usize;
        choices.get(index).copied().unwrap_or_default()
    }

    fn line(&mut self, depth: usize, line: &str) {
        let _ = writeln!(self.text, "{}{line}", "    ".repeat(depth));
    }

    fn program(&mut self) {
        self.text.push_str(PRELUDE);
        let functions = 2 + self.below(3);
        for function in 0..functions {
            self.function(function);
        }
        self.line(0, "shared = [1, 2]");
        for call in 0..functions {
            let n = self.below(5);
            self.line(0, "try:");
            self.line(1, &format!("result = f{call}({n}, shared)"));
            self.line(
                0,
                "except (ValueError, ZeroDivisionError, KeyError, IndexError) as error:",
            );
            self.line(1, "result = type(error).__name__");
            self.line(0, &format!("print({call}, result, shared)"));
        }
    }

    fn function(&mut self, number: u64) {
        self.line(0, &format!("def f{number}(n, a):"));
        for line in [
            "m = n + 1",
            "s = 'x' * n",
            "b = a",
            "d = {'k': a, 'n': n}",
            "t = (n, a, s)",
            "e = {n, m}",
            "o = Box(n)",
        ] {
            self.line(1, line);
        }
        let statements = 4 + self.below(6);
        for _ in 0..statements {
            self.statement(1, number);
        }
        self.line(1, "return [n, m, s, len(a), len(b), len(d), o.n]");
        self.line(0, "");
        self.line(0, "");
    }

    fn statement(&mut self, depth: usize, number: u64) {
        let compound = depth < 4 && self.below(3) == 0;
        if compound {
            self.compound(depth, number);
        } else {
            self.simple(depth, number);
        }
    }

    fn simple(&mut self, depth: usize, number: u64) {
        let statement = self.pick(&[
            "n += 1",
            "m = n * 2 - m % 7",
            "n, m = m % 50, n",
            "s += 'é' if n % 2 else 'z'",
            "s = s[-20:] + str(n)",
            "a.append(n)",
            "b.append(m)",
            "b = a[:3]",
            "b = list(range(n % 6))",
            "a[0] = m",
            "a[-1] = (n, s)",
            "a[:1] = [n, m]",
            "a.insert(0, s)",
            "a.extend([m, None])",
            "a += [True, 1.5]",
            "del a[2:6]",
            "b.reverse()",
            "d['k'] = m",
            "d[n] = [m]",
            "d.setdefault('list', []).append(n)",
            "d.update(n=m, q=s)",
            "d['inner'] = {'a': a, 'm': m}",
            "d.pop('n', None)",
            "d = {key: key for key in range(n % 4)}",
            "e.add(m)",
            "e |= {n % 3, 'w'}",
            "e.discard(n)",
            "t = t[:2] + (m,)",
            "t = (t[0], [n], {m: s})",
            "o.n = m",
            "o.items = a",
            "m = o.add(n)",
            "o.extra = {'n': n}",
            "p = Slots(n)",
            "p = [[n] * 2, [m]]; p[0][1] = s",
            "m = sum(x for x in range(n % 5))",
            "b = [x * 2 for x in range(m % 5) if x != 2]",
            "m = (lambda q: q + n)(m)",
            "m = adder(n)(m)",
            "add = adder(m); add(1); n = add(2) % 30",
            "b = sorted(map(str, e))",
            "m = max(n, m, 3) // (n % 3)",
            "m = d['absent']",
            "n = 10 ** 20 + m",
            "n = n % 40",
            "g = count(3); next(g); m = g.send(2)",
            "m = float(m) / 3",
            "s = f'{n}-{m!r:.8}'",
            "x = y = [n]; x.append(m)",
            "del m; m = n",
            "a.clear()",
            "b = [a, a]; a.append(7)",
            "n = len(repr(a)) % 9",
        ]);
        if statement.contains("a[0]") || statement.contains("a[-1]") {
            self.line(depth, "if a:");
            self.line(depth + 1, statement);
        } else if number > 0 && self.below(9) == 0 {
            let callee = self.below(number);
            self.line(depth, &format!("m = len(f{callee}(n % 3, b))"));
        } else {
            self.line(depth, statement);
        }
    }

    fn compound(&mut self, depth: usize, number: u64) {
        match self.below(7) {
            0 => {
                let condition = self.pick(&["n % 2", "m > n", "s", "a", "'k' in d", "not e"]);
                self.line(depth, &format!("if {condition}:"));
                self.statement(depth + 1, number);
                self.line(depth, "else:");
                self.statement(depth + 1, number);
            }
            1 => {
                let count = 1 + self.below(3);
                self.line(depth, &format!("for i{depth} in range({count}):"));
                self.statement(depth + 1, number);
                self.statement(depth + 1, number);
            }
            2 => {
                self.line(depth, &format!("w{depth} = 0"));
                self.line(depth, &format!("while w{depth} < 2:"));
                self.line(depth + 1, &format!("w{depth} += 1"));
                self.statement(depth + 1, number);
            }
            3 => {
                self.line(depth, "try:");
                self.statement(depth + 1, number);
                self.line(depth + 1, "if n % 3 == 1:");
                self.line(depth + 2, "raise ValueError(n)");
                self.line(depth, "except ValueError as error:");
                self.line(depth + 1, "m = error.args[0]");
                self.line(depth, "finally:");
                self.statement(depth + 1, number);
            }
            4 => {
                self.line(depth, &format!("for g{depth} in count(2):"));
                self.statement(depth + 1, number);
            }
            5 => {
                self.line(
                    depth,
                    &format!("for key{depth}, value{depth} in list(d.items()):"),
                );
                self.statement(depth + 1, number);
                self.line(depth + 1, &format!("if key{depth} == 'q':"));
                self.line(depth + 2, "break");
            }
            _ => {
                self.line(depth, "try:");
                self.statement(depth + 1, number);
                self.statement(depth + 1, number);
                self.line(depth, "except (TypeError, ZeroDivisionError, KeyError):");
                self.line(depth + 1, "m = 1");
                self.line(depth, "else:");
                self.line(depth + 1, "n += 1");
            }
        }
    }
}
