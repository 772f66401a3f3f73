"""Reads what is typed."""
import sys

name = input("name? ")
print("hello", name)
rest = sys.stdin.read().split()
print(len(rest), rest)
try:
    input()
except EOFError as error:
    print(type(error).__name__, error)
