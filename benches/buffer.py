"""A program in an editor: edits at random places, and whether answers about it are what its rules say."""
import random
import re

# How an opened bracket that is not closed yet is taken back.
CLOSED = 4


class Buffer:
    """The text as the editor has it, and which line of the program each of its lines is."""

    def __init__(self, program):
        self.program = program
        self.lines = list(program.lines)
        # None for what the program has not.
        self.origins = list(range(len(program.lines)))
        self.open_bracket = None

    def shown(self, origin):
        """Where a line of the program is now; None if it is not, or not as it was."""
        try:
            return self.origins.index(origin)
        except ValueError:
            return None

    def edit(self):
        """One change in one place, to be told the server: where it begins and ends, and what comes there.

        A line more, a line less, a longer line, or a bracket that is closed with the next change.
        """
        if self.open_bracket is not None:
            at, self.open_bracket = self.open_bracket, None
            line = self.lines[at]
            self.lines[at] = line[:-CLOSED] + " + 0"
            return (at, len(line) - CLOSED), (at, len(line)), " + 0"
        left = set(self.origins)
        origin = random.choice([origin for origin in self.program.simple if origin in left])
        at = self.shown(origin)
        line = self.lines[at]
        kind = random.choice(("more", "less", "longer", "bracket"))
        if kind == "more":
            added = " " * (len(line) - len(line.lstrip())) + "added = 1"
            self.lines.insert(at + 1, added)
            self.origins.insert(at + 1, None)
            return (at + 1, 0), (at + 1, 0), added + "\n"
        if kind == "less":
            del self.lines[at], self.origins[at]
            return (at, 0), (at + 1, 0), ""
        end = " + 1" if kind == "longer" else " + ("
        self.lines[at] += end
        self.origins[at] = None
        if kind == "bracket":
            self.open_bracket = at
        return (at, len(line)), (at, len(line)), end

    def wrong_hints(self, hints, lines, expected):
        """Sentences about hints that are not what the rules say. `expected` gives the text of the hint of a
        line of the program that assigns a constant, or None where there may be none."""
        told = {hint["position"]["line"]: "".join(part["value"] for part in hint["label"]) for hint in hints}
        for at, text in told.items():
            if self.origins[at] is None:
                yield "line %d was edited and shows %r" % (at + 1, text)
        for at in lines:
            origin = self.origins[at]
            if origin not in self.program.constants:
                continue
            text = expected(origin)
            # While the text cannot be read in full, fewer lines are certain.
            may_miss = text is None or self.open_bracket is not None
            text = text or "= " + self.program.constants[origin]
            if told.get(at, text if may_miss else "") != text:
                yield "line %d shows %r instead of %r" % (at + 1, told.get(at), text)

    def wrong_lenses(self, lenses, rounds, count, recordings):
        told = {}
        for lens in lenses:
            told.setdefault(lens["range"]["start"]["line"], []).append(lens["command"]["title"])
        if self.open_bracket is not None:
            return
        for origin, name in self.program.functions:
            at = self.shown(origin)
            calls = self.program.calls(name, rounds, count)
            expected = "1 call" if calls == 1 else "{:,} calls".format(calls)
            titles = told.get(at, [])
            if expected not in titles or "%d recordings" % recordings not in titles:
                yield "line %d shows %s instead of %r in %d recordings" % (at + 1, titles, expected, recordings)

    def name_at_random(self):
        """A name in an assignment that is as it was recorded: its line now, its column, and the line of the
        program; half of them are names of constants."""
        places = list(self.program.constants) if random.random() < 0.5 else self.program.simple
        while True:
            origin = random.choice(places)
            at = self.shown(origin)
            if at is None:
                continue
            names = [found.start() for found in re.finditer(r"[a-z]\w*", self.lines[at])]
            return at, names[0] if origin in self.program.constants else random.choice(names), origin

    def wrong_hover(self, hover, origin, may_miss):
        constant = self.program.constants.get(origin)
        if constant is None or self.open_bracket is not None or may_miss and hover is None:
            return
        shown = hover["contents"]["value"] if hover else ""
        if not re.search(r"^%s$" % constant, shown, re.MULTILINE):
            yield "a hover shows %r instead of %s" % (shown[:80], constant)
