"""Runs a program under `sys.settrace` and says what stands at the ends of its lines.

Usage: values.py OUT SCOPE EVERY (SCRIPT | -m MODULE) [ARGUMENT…]

OUT gets one JSON object:

    {"overall": {path: {line: text}},
     "silent": {path: [line, …]},
     "names": {path: [{"line": …, "column": …, "name": …, "value": …}, …]},
     "steps": [[path, line, frame, depth], …],
     "moments": [{"step": n, "lines": {path: {line: text}}}, …]}

`overall` tells of the whole run. A moment tells of the calls on the main thread's stack before step
`n` of that thread (the first is 0), and of the latest call that had ended of every other function (the
one that began last); there is one for every EVERYth step. A text is the beginning of what is shown; `null` says that nothing
is, and lines that are not told of are not compared: those whose values take more than plain data to
show, and those with several statements. `silent` are lines that assign and never ran; `names` are what
lines assigned last, in full; `steps` are the lines that ran on the main thread, with a number for the
frame that ran them and how many frames there were.

Values are read from the frames' own locals when the next line or the end of a frame is reached;
conditions and passes are counted by code put into the program. It shares no code with the recorder
and the server.
"""
import ast
import builtins
import dis
import inspect
import json
import os
import sys
import threading

LIMIT, VALUE, INSIDE = 40, 24, 18
SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
JUMPS = (ast.Break, ast.Continue, ast.Pass)
PAUSING = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
UNKNOWN = object()


def short(value, limit=VALUE):
    """A value in few characters, or UNKNOWN."""
    kind = type(value)
    if kind in (bool, type(None)):
        return repr(value)
    if kind is int:
        text = repr(value)
        return text if len(text) <= limit else text[: limit - 1] + "…"
    if kind is float:
        return repr(float("%.5e" % value)) if value == value and abs(value) != float("inf") else repr(value)
    if kind is str:
        if not (value.isascii() and value.isprintable()) or "'" in value or "\\" in value:
            return UNKNOWN
        if len(value) <= INSIDE and len(value) + 2 <= limit:
            return repr(value)
        return repr(value[: min(INSIDE, limit - 3)] + "…")
    if kind in (list, tuple, dict, set, frozenset):
        if not plain(value, 0):
            return UNKNOWN
        text = repr(value)
        if len(text) <= limit:
            return text
        return "1 item" if len(value) == 1 else f"{len(value):,} items"
    return UNKNOWN


def plain(value, depth):
    kind = type(value)
    if depth > 4:
        return False
    if kind is str:
        return value.isascii() and value.isprintable() and len(value) < 40
    if kind in (bool, int, float, type(None)):
        return True
    if kind is dict:
        return all(plain(part, depth + 1) for pair in value.items() for part in pair)
    return kind in (list, tuple, set, frozenset) and all(plain(part, depth + 1) for part in value)


class Series:
    """Values that one name got from one line."""

    def __init__(self):
        self.count, self.texts, self.numbers, self.scalar = 0, set(), [], True
        self.last = UNKNOWN

    def add(self, value):
        self.count += 1
        kind = type(value)
        # Nothing is kept alive that the program lets go.
        self.last = value if kind in (bool, int, float, str, type(None)) else None
        if kind in (bool, int, float, str, type(None)) and self.scalar:
            self.texts.add((kind.__name__, repr(value)))
            self.scalar = len(self.texts) <= 1000
        else:
            self.scalar = False
        if self.numbers is not None:
            if kind is int and abs(value) < 2**53 or kind is float and value == value:
                self.numbers = [min(self.numbers + [value]), max(self.numbers + [value])]
            else:
                self.numbers = None
        # What a container holds now may not be what it holds when the program ends.
        self.whole = repr(value) if plain(value, 0) else UNKNOWN
        self.texts_by_room = [short(value, room) for room in range(VALUE + 1)]

    def told(self, before, in_loop):
        if in_loop and self.count > 1 and not (self.scalar and len(self.texts) == 1):
            if self.numbers:
                low, high = (short(number) for number in self.numbers)
                return f"{before}{low} to {high} · {self.count:,} times"
            if self.scalar:
                start = f"{len(self.texts):,} different, last "
                text = short(self.last, LIMIT - len(start))
                return UNKNOWN if text is UNKNOWN else start + text
        same = self.scalar and len(self.texts) == 1
        end = "" if self.count == 1 else f" · all {self.count:,}" if same else f" · last of {self.count:,}"
        text = self.texts_by_room[min(LIMIT - len(before) - len(end), VALUE)]
        return UNKNOWN if text is UNKNOWN else f"{before}{text}{end}"


class Code:
    """What stands on the lines of a source."""

    def __init__(self, text):
        self.tree = ast.parse(text)
        self.targets, self.lines, self.returns, self.loops = {}, {}, {}, {}
        self.owner, self.statements, self.columns = {}, {}, {}
        self.read(self.tree, None, None)

    def read(self, node, owner, loop):
        for child in ast.iter_child_nodes(node):
            inner, around = owner, loop
            if isinstance(child, ast.stmt):
                head = child.body[0].lineno - 1 if getattr(child, "body", None) else child.end_lineno
                span = (child.lineno, max(child.lineno, head))
                for line in range(span[0], span[1] + 1):
                    self.statements.setdefault(line, []).append(child)
                self.owner[child.lineno] = owner
                self.lines[child.lineno] = span
                self.loops[child.lineno] = loop
                # An exception that goes on after it comes up on its line.
                is_last = any(child is it.finalbody[-1] for it in [node] if getattr(it, "finalbody", None))
                if isinstance(child, SIMPLE) and not is_last:
                    names = self.names(child)
                    inside = [type(part) for part in ast.walk(child)]
                    # What is yielded is shown, and names are bound in passing.
                    if names and not {ast.Yield, ast.YieldFrom, ast.NamedExpr}.intersection(inside):
                        self.targets[child.lineno] = names
                if isinstance(child, ast.Return):
                    self.returns[child.lineno] = True
            if isinstance(child, DEFINITIONS):
                first = min([child.lineno] + [it.lineno for it in getattr(child, "decorator_list", [])])
                inner, around = (first, getattr(child, "name", "<lambda>")), None
            elif isinstance(child, LOOPS):
                around = child.lineno
            self.read(child, inner, around)

    def names(self, node):
        if isinstance(node, ast.AnnAssign) and node.value is None:
            return []
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = []
        while targets:
            target = targets.pop(0)
            if isinstance(target, ast.Name):
                if target.id not in names:
                    names.append(target.id)
                    if target.lineno == node.lineno:
                        self.columns[node.lineno, target.id] = target.col_offset
            elif isinstance(target, (ast.Tuple, ast.List)):
                targets[:0] = target.elts
            elif isinstance(target, ast.Starred):
                targets.insert(0, target.value)
            else:
                return []
        return names

    def alone(self, line):
        return len(self.statements.get(line, ())) == 1


class Counting(ast.NodeTransformer):
    """Puts calls into the program that count conditions and passes."""

    def __init__(self, path):
        self.path = path

    def call(self, name, line, *arguments):
        function = ast.Name(name, ast.Load())
        return ast.Call(function, [ast.Constant(self.path), ast.Constant(line), *arguments], [])

    def visit_If(self, node):
        self.generic_visit(node)
        # Up to 3.9 a jump has no line of its own, and how the condition came out is not to be seen.
        is_seen = sys.version_info >= (3, 10) or not isinstance(node.body[0], JUMPS)
        if is_seen and not isinstance(node.test, ast.Constant) and node.body[0].lineno > node.test.end_lineno:
            new = self.call("_retrostep_condition", node.lineno, node.test)
            node.test = ast.copy_location(new, node.test)
        return node

    def visit_For(self, node):
        self.generic_visit(node)
        if node.body[0].lineno > node.lineno:
            new = ast.Expr(self.call("_retrostep_pass", node.lineno))
            node.body.insert(0, ast.copy_location(new, node.body[0]))
        return node

    visit_AsyncFor = visit_For


class Frame:
    count = 0

    def __init__(self, code, owner):
        self.code, self.owner, self.number = code, owner, Frame.count
        Frame.count += 1
        self.line, self.interrupted = 0, False
        self.told = {}


def standard_folders():
    import sysconfig

    paths = sysconfig.get_paths()
    return tuple(
        os.path.realpath(paths[name]) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")
    )


class Tracer:
    def __init__(self, out, scope, every):
        self.out, self.every = out, every
        self.scope = os.path.realpath(scope) + os.sep
        self.standard = standard_folders()
        self.codes, self.frames, self.stack = {}, {}, []
        self.series, self.returned, self.calls = {}, {}, {}
        self.conditions, self.passes = {}, {}
        self.ended, self.moments, self.steps, self.ran = {}, [], [], set()
        self.main = threading.main_thread()
        builtins._retrostep_condition = self.condition
        builtins._retrostep_pass = self.one_pass

    def condition(self, path, line, value):
        value = bool(value)
        count = self.conditions.setdefault((path, line), [0, 0])
        count[value] += 1
        return value

    def one_pass(self, path, line):
        self.passes[path, line] = self.passes.get((path, line), 0) + 1

    def code(self, path):
        if path not in self.codes:
            real = os.path.realpath(path)
            inside = (
                not path.startswith("<")
                and real.startswith(self.scope)
                and "site-packages" not in real
                and not real.startswith(self.standard)
                and real != os.path.realpath(__file__)
            )
            self.codes[path] = None
            if inside:
                with open(path, encoding="utf-8") as file:
                    self.codes[path] = Code(file.read())
        return self.codes[path]

    def trace(self, frame, event, argument):
        path = frame.f_code.co_filename
        code = self.code(path)
        if code is None or event != "call":
            return None
        known = self.frames.get(frame)
        if known is None:
            name, first = frame.f_code.co_name, frame.f_code.co_firstlineno
            owner = None if name == "<module>" else (first, name)
            known = self.frames[frame] = Frame(code, owner)
            key = (path, owner)
            self.calls[key] = self.calls.get(key, 0) + 1
        if threading.current_thread() is self.main:
            self.stack.append((path, known))
        return self.local

    def local(self, frame, event, argument):
        known = self.frames[frame]
        path, code = frame.f_code.co_filename, known.code
        is_main = threading.current_thread() is self.main
        if event == "exception":
            op = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            # What is awaited or gone through ends with one, which goes no further.
            is_end = argument[0] is StopIteration and "CALL" not in op
            known.interrupted = known.interrupted or not is_end
        elif event == "line":
            self.done(frame, known, path, frame.f_lineno)
            self.ran.add((path, frame.f_lineno))
            if is_main:
                if len(self.steps) % self.every == 0:
                    self.moment()
                self.steps.append((path, frame.f_lineno, known.number, len(self.stack)))
            known.line, known.interrupted = frame.f_lineno, False
            if self.owns(known, known.line):
                known.told[known.line] = None
        elif event == "return":
            op = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            is_paused = frame.f_code.co_flags & PAUSING and not known.interrupted
            is_paused = is_paused and "RETURN" not in op and "RAISE" not in op
            if is_main:
                self.stack.pop()
            if is_paused:
                return self.local
            if not known.interrupted:
                self.done(frame, known, path, None)
                line = known.line
                if code.alone(line) and line in code.returns and self.owns(known, line):
                    self.returned.setdefault((path, line), Series()).add(argument)
                    text = short(argument)
                    known.told[line] = UNKNOWN if text is UNKNOWN else "returns " + text
            del self.frames[frame]
            latest = self.ended.get((path, known.owner), known)
            self.ended[path, known.owner] = max(known, latest, key=lambda it: it.number)
        return self.local

    def owns(self, known, line):
        return known.code.owner.get(line, 0) == known.owner

    def done(self, frame, known, path, following):
        """The line that ran is done: what did it assign?"""
        code, line = known.code, known.line
        if known.interrupted or line not in code.targets or not code.alone(line):
            return
        first, last = code.lines[line]
        # A comprehension runs its line again and again, an expression of several lines all of them.
        if following is not None and first <= following <= last:
            return
        if not self.owns(known, line):
            return
        texts, values = [], frame.f_locals
        for name in code.targets[line]:
            value = values[name] if name in values else frame.f_globals.get(name, UNKNOWN)
            self.series.setdefault((path, line), {}).setdefault(name, Series()).add(value)
            texts.append((name, short(value)))
        if any(text is UNKNOWN or name == "_" for name, text in texts):
            known.told[line] = UNKNOWN
        elif len(texts) == 1:
            known.told[line] = "= " + texts[0][1]
        else:
            text = ", ".join(f"{name} = {text}" for name, text in texts)
            known.told[line] = text if len(text) <= LIMIT else UNKNOWN

    def moment(self):
        lines, seen = {}, set()
        for path, known in reversed(self.stack):
            self.tell(lines, seen, path, known)
        for (path, _), known in self.ended.items():
            self.tell(lines, seen, path, known)
        self.moments.append({"step": len(self.steps), "lines": lines})

    def tell(self, lines, seen, path, known):
        if (path, known.owner) in seen:
            return
        seen.add((path, known.owner))
        told = lines.setdefault(path, {})
        for line, text in known.told.items():
            if text is not UNKNOWN and (line in known.code.targets or line in known.code.returns):
                if known.code.alone(line):
                    told[line] = text

    def overall(self):
        told = {}

        def put(path, line, text):
            if text is not UNKNOWN and self.codes[path].alone(line):
                told.setdefault(path, {})[line] = text

        for (path, line), names in self.series.items():
            in_loop = self.codes[path].loops[line] is not None
            if len(names) == 1 and "_" not in names:
                (series,) = names.values()
                put(path, line, series.told("= ", in_loop))
        for (path, line), series in self.returned.items():
            put(path, line, series.told("returns ", False))
        for (path, line), (failed, held) in self.conditions.items():
            if failed + held == 1:
                text = "true" if held else "false"
            else:
                parts = [(held, "true"), (failed, "false")]
                parts = sorted(parts, key=lambda part: -part[0])
                text = ", ".join(f"{word} {count:,}×" for count, word in parts if count)
            put(path, line, text)
        for (path, line), count in self.passes.items():
            put(path, line, "1 pass" if count == 1 else f"{count:,} passes")
        return told

    def silent(self):
        told = {}
        for path, code in self.codes.items():
            if code is not None:
                for line in code.targets:
                    first, last = code.lines[line]
                    if not any((path, line) in self.ran for line in range(first, last + 1)) and code.alone(line):
                        told.setdefault(path, []).append(line)
        return told

    def names(self):
        told = {}
        for (path, line), names in self.series.items():
            for name, series in names.items():
                column = self.codes[path].columns.get((line, name))
                if series.whole is not UNKNOWN and len(series.whole) <= 60 and column is not None:
                    one = {"line": line, "column": column, "name": name, "value": series.whole}
                    told.setdefault(path, []).append(one)
        return told

    def end(self):
        sys.settrace(None)
        threading.settrace(None)
        told = {
            "overall": self.overall(),
            "silent": self.silent(),
            "names": self.names(),
            "steps": self.steps,
            "moments": self.moments,
        }
        with open(self.out, "w", encoding="utf-8") as file:
            json.dump(told, file)


def frames_of(error):
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def main():
    out, scope, every, *command = sys.argv[1:]
    tracer = Tracer(out, scope, int(every))
    if command[0] == "-m":
        raise SystemExit("modules are not run")
    script = command[0]
    sys.argv = command
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    path = script
    with open(script, encoding="utf-8") as file:
        tree = ast.parse(file.read(), path)
    tree = ast.fix_missing_locations(Counting(path).visit(tree))
    program = compile(tree, path, "exec", dont_inherit=True)
    module = type(sys)("__main__")
    module.__dict__.update(__file__=path, __builtins__=builtins)
    sys.modules["__main__"] = module
    threading.settrace(tracer.trace)
    sys.settrace(tracer.trace)
    try:
        exec(program, module.__dict__)
    except BaseException as error:
        # The program's own end is not of interest; one of the tracer would be.
        if any(frame.f_code.co_filename == __file__ and frame is not sys._getframe() for frame in frames_of(error)):
            raise
    finally:
        tracer.end()


main()
