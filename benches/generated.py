"""A program of any number of lines, the same each time, whose own rules foretell what its run leaves on
some of its lines.

Each function computes a value of a known number from its argument and assigns it to a name that no other
line assigns: `limit_17 = 30 + count - count`. A function is called as often as the program goes round.
"""
import re

SHAPES = ('''\
def totals_{n}(count):
    """Adds up, and takes away what is too much."""
    limit_{n} = {k} + count - count
    total, seen = 0, []
    for index in range(count):
        total += index * 3
        if total > limit_{n}:
            total -= limit_{n}
            seen.append(total)
        else:
            total += 1
    label = "n%d" % total
    pair = (total, len(seen))
    spread = pair[0] - pair[1]
    kept = spread % 7
    if kept > 3:
        kept -= 3
        label = label + "!"
    return total + kept + len(label)
''', '''\
def stock_{n}(count):
    """Takes goods from a stock that is filled up."""
    goods = {{"anchor": 10, "block": 20, "cleat": 30}}
    reserve_{n} = len(goods) + {k} - 3
    moved = 0
    number = 0
    while number < count:
        name = NAMES[number % 3]
        goods[name] -= 1
        if goods[name] < 8:
            goods[name] = 10
            moved += 10
        number += 1
    left = sum(goods.values())
    most = max(goods.values())
    report = {{"left": left, "most": most}}
    report["moved"] = moved
    return report["left"] + reserve_{n}
''', '''\
class Account_{n}:
    """An account that takes a fee."""

    def __init__(self, owner):
        self.owner = owner
        self.balance = 0
        self.entries = []

    def pay(self, amount):
        fee_{n} = {k} + amount - amount
        self.balance += amount - fee_{n}
        self.entries.append(amount)
        return self.balance

    def settle(self, count):
        for number in range(count):
            after = self.pay(number * 2)
            if after < -100:
                self.balance = 0
        average = self.balance / count
        rounded = round(average, 2)
        return rounded


def settled_{n}(count):
    account = Account_{n}("owner %d" % count)
    return account.settle(count)
''', '''\
def parsed_{n}(count):
    """Reads numbers, of which one is none."""
    bound_{n} = {k} * count // count
    words = [str(number) for number in range(count)]
    words.append("end")
    value, failed = 0, 0
    for word in words:
        try:
            value += int(word)
        except ValueError:
            failed += 1
            value -= 1
    even = [number for number in range(4) if number % 2 == 0]
    first, *rest = even
    text = " ".join(words[:3])
    size = len(text) + first + len(rest)
    done = bound_{n} + failed
    return value + size + done
''')
HEAD = '''\
import sys
{imported}
NAMES = ("anchor", "block", "cleat")


'''
FOOT = '''\
def main(rounds, count):
    total = 0
    for _ in range(rounds):
        for function in FUNCTIONS:
            total += function(count)
    {call}
    print(total)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
'''
CONSTANT = re.compile(r"^ +(\w+_\d+) = .*$")


class Program:
    """The text of a program and what its lines do. Lines count from 0, as in the protocol."""

    def __init__(self, line_count, imported=None):
        self.lines = HEAD.format(imported="import %s\n" % imported if imported else "").split("\n")[:-1]
        self.constants, self.functions = {}, []
        number, called = 0, []
        foot = FOOT.format(call="%s.main(1, count)" % imported if imported else "total += 0").split("\n")[:-1]
        while True:
            shape = SHAPES[number % len(SHAPES)].format(n=number, k=30 + number % 900).split("\n")[:-1]
            listed = (len(called) + 1) // 4 + 4
            if len(self.lines) + len(shape) + 2 + listed + len(foot) > line_count:
                break
            called.append(shape[0 if "class" not in shape[0] else -3].split("(")[0].split()[1])
            self._add(shape, 30 + number % 900)
            self.lines += ["", ""]
            number += 1
        self.lines.append("FUNCTIONS = (")
        for at in range(0, len(called), 4):
            self.lines.append("    %s," % ", ".join(called[at:at + 4]))
        self.lines += [")", "", ""]
        self.lines += ["# The rest is silence."] * (line_count - len(self.lines) - len(foot))
        self.lines += foot
        self.text = "\n".join(self.lines) + "\n"
        # Lines with one assignment that can be changed or go without another line's meaning.
        self.simple = [at for at, line in enumerate(self.lines) if re.match(r" {4,}[\w, .]+ [-+]?= ", line)
                       and not self.lines[at - 1].rstrip().endswith(":")]

    def _add(self, shape, constant):
        for line in shape:
            if CONSTANT.match(line) and str(constant) in line:
                self.constants[len(self.lines)] = str(constant)
            if line.lstrip().startswith("def "):
                self.functions.append((len(self.lines), line.split("(")[0].split()[1]))
            self.lines.append(line)

    def calls(self, name, rounds, count):
        """How often a function of this name is called: `pay` once for each pass of a loop."""
        return rounds * count if name == "pay" else rounds
