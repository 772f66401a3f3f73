"""Asyncio tasks that pass the turn to each other. Arguments: turns, tasks."""
import asyncio
import sys


async def work(name, turns):
    done = 0
    for _ in range(turns):
        await asyncio.sleep(0)
        done += name % 3
    return done


async def main():
    turns = int(sys.argv[1])
    results = await asyncio.gather(*(work(name, turns) for name in range(int(sys.argv[2]))))
    print(sum(results))


asyncio.run(main())
