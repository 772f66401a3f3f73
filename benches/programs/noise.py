"""An incompressible numeric loop: every second line makes a float that nothing before it foretells."""
import random

import measured


def main():
    draw = random.Random(7).random
    inside = 0
    for _ in range(20000):
        x = draw()
        y = draw()
        if x * x + y * y < 1.0:
            inside += 1
    return inside


if __name__ == "__main__":
    measured.run(main)
