"""An order desk, a run of any length. Arguments: how many orders, each some fifty events, and how rare
is what is searched for: every so many orders one is audited and one finds the stock empty.
"""
import sys

RARE = int(sys.argv[2])
GOODS = ("anchor", "block", "cleat", "davit", "eyelet", "fender", "grommet")


class OutOfStock(Exception):
    pass


class Desk:
    def __init__(self):
        self.stock = dict.fromkeys(GOODS, 1000)
        self.revenue = 0
        self.audited = 0

    def take(self, number, names):
        due = 0
        for name in names:
            amount = 1 + number % 3
            due += self.reserve(name, amount)
        if number % RARE == RARE // 2:
            raise OutOfStock(number)
        self.revenue += due
        return due

    def reserve(self, name, amount):
        left = self.stock[name] - amount
        if left < 100:
            left += 900
        self.stock[name] = left
        return price(name, amount)


def price(name, amount):
    base = 7 * len(name)
    if amount > 2:
        base -= 3
    return base * amount


def audit(desk, number):
    total = sum(desk.stock.values())
    desk.audited += 1
    return total - number % 5


def never(number):
    number += 1
    number += 2
    number += 3
    number += 4
    number += 5
    number += 6
    number += 7
    number += 8
    number += 9
    number += 10
    return number


def finish(desk, failures):
    one = desk.revenue + failures
    two = one + 2
    three = two + 3
    four = three + 4
    five = four + 5
    six = five + 6
    seven = six + 7
    eight = seven + 8
    nine = eight + 9
    return nine


def main():
    orders = int(sys.argv[1])
    desk = Desk()
    failures = 0
    checked = 0
    seed = 1
    for number in range(1, orders + 1):
        seed = (seed * 1103515245 + 12345) % 2147483648
        names = [GOODS[(seed >> 8) % 7], GOODS[(seed >> 16) % 7]]
        try:
            due = desk.take(number, names)
        except OutOfStock:
            failures += 1
        if number % RARE == 0:
            checked = audit(desk, number)
        if orders < 0:
            never(due)
    print(finish(desk, failures), checked)


main()
