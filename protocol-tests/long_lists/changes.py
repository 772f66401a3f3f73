"""A long list that is changed in every way; in between a part of it is copied to compare with."""
import heapq
import random

LEN = 12000
ROUNDS = 60


def put(target, index, value):
    target[index] = value


def swap(target, one, other):
    target[one], target[other] = target[other], target[one]


class Holder:
    def __init__(self, held):
        self.held = held

    def store(self, index, value):
        self.held[index] = value

    def add(self, index):
        self.held[index] += 1


def change(numbers, holder, dice, kind, step):
    size = len(numbers)
    index = dice.randrange(size)
    if kind == 0:
        for number in range(200):
            numbers[(index + number * 7) % size] = number * step
    elif kind == 1:
        for number in range(50):
            numbers[index - size] = number
            numbers.append(number)
    elif kind == 2:
        for _ in range(60):
            numbers.pop()
    elif kind == 3:
        for number in range(30):
            put(numbers, dice.randrange(size), -number)
            swap(numbers, dice.randrange(size), dice.randrange(size))
    elif kind == 4:
        holder.store(index, step)
        holder.add(index)
        numbers[index] += 2
    elif kind == 5:
        numbers.insert(index, step)
        del numbers[(index * 3) % size]
    elif kind == 6:
        numbers[index:index + 5] = [step] * dice.randrange(9)
        numbers.extend([step, step + 1])
    elif kind == 7:
        numbers.reverse()
        numbers.pop(index)
    elif kind == 8:
        heapq.heapify(numbers)
        heapq.heappush(numbers, step)
    elif kind == 9:
        numbers.sort(key=lambda number: number % 1000)
    elif kind == 10:
        dice.shuffle(numbers)
    else:
        for place, number in enumerate(numbers):
            numbers[place] = number + 1
            if place > 300:
                break


def main():
    dice = random.Random(5)
    numbers = list(range(LEN))
    holder = Holder(numbers)
    for step in range(ROUNDS):
        change(numbers, holder, dice, step % 12, step)
        start = dice.randrange(len(numbers) - 40)
        seen = numbers[start:start + 40]
        size = len(numbers)
        total = sum(numbers)
        first = numbers[0]
        print(step, start, len(seen), size, total, first)  # mark: compare


main()
