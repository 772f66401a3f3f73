//! Random small programs with a fixed seed: assignments, aliasing, containers in containers, calls,
//! loops, exceptions, generators, classes with slots and properties, comprehensions.

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

/// What the programs are made of, each with a text that a line with it contains.
pub const CONSTRUCTS: &[(&str, &str)] = &[
    ("assignment", "n += 1"),
    ("unpacking", "x, *b = "),
    ("aliasing", "b = [a, a]"),
    ("alias of attributes", "v = vars(o)"),
    ("containers in containers", "d['inner'] = {'a': a"),
    ("call with arguments of every kind", "keywords("),
    ("recursion", "deep("),
    ("closure", "adder("),
    ("nested function", "m = [q, n]"),
    ("lambda", "lambda"),
    ("global name", "tally += 1"),
    ("for loop", "for i"),
    ("while loop", "while w"),
    ("else of a loop", "m = -1  # else"),
    ("continue", "continue"),
    ("break", "break"),
    ("raise", "raise ValueError(n)"),
    ("exception of a class", "raise Custom(m) from error"),
    ("finally", "s = s[:9]  # finally"),
    ("context manager", "with Context(n) as c"),
    ("generator", "yield i * 2"),
    ("value sent to a generator", "g.send(2)"),
    ("exception thrown into a generator", "g.throw(ValueError)"),
    ("closed generator", "g.close()"),
    ("delegating generator", "yield from walk(item)"),
    ("class", "o.items = a"),
    ("inheritance", "super().__init__(n)"),
    ("slots", "p.x += 1"),
    ("deleted slot", "del p.x"),
    ("property", "m = o.half"),
    ("setter", "o.half = "),
    ("class method", "Derived.made(n)"),
    ("class in a function", "class Local"),
    (
        "comprehension of a list",
        "for x in range(m % 5) if x != 2]",
    ),
    ("comprehension of a dictionary", "{key: key for key in"),
    ("comprehension of a set", "{str(x) for x in a}"),
    ("nested comprehension", "[y for x in"),
    ("generator expression", "sum(x for x in range(n % 5))"),
    ("assignment expression", "(w := "),
    ("conditional expression", " if n % 2 else "),
];

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


class Base:
    made_count = 0

    def __init__(self, n):
        self._n = n

    @property
    def half(self):
        return self._n // 2

    @half.setter
    def half(self, value):
        self._n = value * 2

    @classmethod
    def made(cls, n):
        cls.made_count += 1
        return cls(n)

    @staticmethod
    def plus(n):
        return n + 1


class Derived(Base, Box):
    def __init__(self, n):
        super().__init__(n)
        Box.__init__(self, n)
        self.extra = {'n': n}


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x):
        self.x = x
        self.y = [x]


class Context:
    def __init__(self, n):
        self.n = n

    def __enter__(self):
        return [self.n]

    def __exit__(self, kind, error, traceback):
        self.n = None
        return kind is ValueError


class Custom(Exception):
    def __init__(self, n):
        super().__init__(n, 'custom')
        self.n = n


tally = 0


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


def walk(items):
    for item in items:
        if isinstance(item, list):
            yield from walk(item)
        else:
            yield item


def careful(n):
    seen = []
    try:
        while True:
            try:
                got = yield n
                seen.append(got)
                n += 1
            except ValueError as error:
                seen.append(type(error).__name__)
    finally:
        seen.clear()


def keywords(first, *rest, last=None, **others):
    others['first'] = first
    return len(rest) + len(others)


def deep(n):
    below = deep(n - 1) if n > 0 else 0
    return below + 1


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
            self.line(0, "except Exception as error:");
            self.line(1, "result = type(error).__name__");
            self.line(0, &format!("print({call}, result, shared)"));
        }
    }

    fn function(&mut self, number: u64) {
        self.line(0, &format!("def f{number}(n, a):"));
        for line in [
            "global tally",
            "m = n + 1",
            "s = 'x' * n",
            "b = a",
            "d = {'k': a, 'n': n}",
            "t = (n, a, s)",
            "e = {n, m}",
            "o = Derived(n)",
            "p = Slots(n)",
        ] {
            self.line(1, line);
        }
        let statements = 5 + self.below(8);
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
            "tally += 1",
            "x, *b = [n, m, s]",
            "v = vars(o); v['n'] = m; n = o.n",
            "v = vars(o); o.n = n; m = len(v)",
            "v = vars(o); del o.extra; o.extra = {'m': m}; s = str(len(v))",
            "m = keywords(n, m, *a[:2], last=s, **{'q': n})",
            "m = deep(n % 5)",
            "b = list(walk([n, [m, [s]], []]))",
            "g = careful(n); next(g); m = g.send(s); g.throw(ValueError); g.close()",
            "g = careful(n); m = next(g); g = None",
            "p.x += 1; m = p.x",
            "p.y.append(m); b = p.y",
            "del p.x; p.x = [n]; b = p.x",
            "o.half = m if isinstance(m, int) else 1",
            "m = o.half",
            "m = Derived.made(n).half + Base.plus(n)",
            "e = {str(x) for x in a}",
            "b = [y for x in [[n], [m, s]] for y in x]",
            "b = [[x, y] for x in range(2) for y in range(n % 3)]",
            "m = [w := n + 1, w * 2][-1]",
            "b = [(w := x) for x in range(n % 4)]",
            "d = {**d, 'z': [*a[:2], n]}",
            "t = (*t[:1], {'t': m}); t[1]['u'] = a",
            "a[1:3] = b[:2]; a[::2] = list(a[::2])",
            "b = a[::-1]; b.sort(key=str)",
            "d['k'] = d['k'] if 'k' in d else a; del d['k']",
            "d.setdefault('deep', {}).setdefault(n, []).append(s)",
            "d['self'] = [t, e]; e.add('late')",
            "b = [[0] * 2 for x in range(2)]; b[1][0] = n; b[0] = b[1]",
            "m = next((x for x in a if x), None)",
            "b = dict(zip('ab', [n, a])); b['b'].append(m)",
            "assert n or True, s",
            "s = ''.join(sorted(s)) * 2; s = s[:12]",
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
        match self.below(14) {
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
            6 => self.loop_with_else(depth, number),
            7 => self.nested_function(depth, number),
            8 => self.context(depth, number),
            9 => self.chained(depth, number),
            10 => self.local_class(depth, number),
            11 => {
                self.line(depth, "try:");
                self.statement(depth + 1, number);
                self.line(depth, "finally:");
                self.line(depth + 1, "s = s[:9]  # finally");
            }
            12 => {
                self.line(
                    depth,
                    &format!("for x{depth}, y{depth} in zip(a[:3], [s, n, t]):"),
                );
                self.line(depth + 1, &format!("b = [x{depth}, y{depth}, b[:2]]"));
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

    fn loop_with_else(&mut self, depth: usize, number: u64) {
        let end = 1 + self.below(4);
        self.line(depth, &format!("for i{depth} in range({end}):"));
        self.line(depth + 1, &format!("if i{depth} == 1:"));
        self.line(depth + 2, "continue");
        self.line(depth + 1, &format!("if i{depth} == 2:"));
        self.line(depth + 2, "break");
        self.statement(depth + 1, number);
        self.line(depth, "else:");
        self.line(depth + 1, "m = -1  # else");
    }

    fn nested_function(&mut self, depth: usize, number: u64) {
        self.line(depth, &format!("def inner{depth}(q, r=s):"));
        self.line(depth + 1, "nonlocal m, b");
        self.line(depth + 1, "m = [q, n]");
        self.line(depth + 1, "b = m");
        self.line(depth + 1, "b.append(r)");
        self.line(depth + 1, "return len(m)");
        self.statement(depth, number);
        self.line(
            depth,
            &format!("m = inner{depth}(n) + inner{depth}(s, r=n)"),
        );
    }

    fn context(&mut self, depth: usize, number: u64) {
        self.line(depth, "with Context(n) as c:");
        self.statement(depth + 1, number);
        self.line(depth + 1, "c.append(m)");
        self.line(depth + 1, "if n % 2:");
        self.line(depth + 2, "raise ValueError(c)");
    }

    fn chained(&mut self, depth: usize, number: u64) {
        self.line(depth, "try:");
        self.line(depth + 1, "try:");
        self.statement(depth + 2, number);
        self.line(depth + 2, "b = a[n]");
        self.line(depth + 1, "except IndexError as error:");
        self.line(depth + 2, "raise Custom(m) from error");
        self.line(depth, "except Custom as error:");
        self.line(depth + 1, "t = (error.n, len(error.args))");
    }

    fn local_class(&mut self, depth: usize, number: u64) {
        self.line(depth, &format!("class Local{depth}(Base):"));
        self.line(depth + 1, "kept = [tally]");
        self.line(depth + 1, "twice = [x for x in range(3)]");
        self.line(depth + 1, "def get(self):");
        self.line(depth + 2, "self.kept.append(self.half)");
        self.line(depth + 2, "return self.kept");
        self.line(depth, &format!("b = Local{depth}(n).get()"));
        self.statement(depth, number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_construct_is_in_many_programs() {
        let programs: Vec<String> = (0..400).map(text).collect();
        for (name, marker) in CONSTRUCTS {
            let with = programs.iter().filter(|text| text.contains(marker)).count();
            assert!(with >= 20, "{name} is in {with} of 400 programs");
        }
    }
}
