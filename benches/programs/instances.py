"""Many objects: makes them, then changes an attribute of each. Argument: how many."""
import sys


class Ticket:
    def __init__(self, number):
        self.number = number
        self.owner = None


def main():
    tickets = []
    for number in range(int(sys.argv[1])):
        tickets.append(Ticket(number))
    for ticket in tickets:
        ticket.owner = ticket.number % 97
    print(len(tickets), tickets[-1].owner)


main()
