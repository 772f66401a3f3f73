"""Coroutines and tasks that take turns."""
import asyncio


async def worker(name, queue, done):
    while True:
        item = await queue.get()  # mark: get
        if item is None:
            break
        await asyncio.sleep(0)
        done.append((name, item))
    return name


async def numbers(limit):
    for number in range(limit):
        yield number
        await asyncio.sleep(0)


class Session:
    def __init__(self):
        self.open = False

    async def __aenter__(self):
        await asyncio.sleep(0)
        self.open = True
        return self

    async def __aexit__(self, *exc_info):
        self.open = False


async def failing(after):
    for _ in range(after):
        await asyncio.sleep(0)
    raise LookupError(after)  # mark: fail


async def cancelled(log):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        log.append("cancelled")
        raise


async def main():
    queue = asyncio.Queue()
    done = []
    workers = [asyncio.ensure_future(worker(name, queue, done)) for name in "ab"]
    for item in range(4):
        await queue.put(item)
    for _ in workers:
        await queue.put(None)
    names = await asyncio.gather(*workers)
    print(sorted(names), sorted(item for _, item in done))
    total = 0
    async for number in numbers(3):
        total += number
    print(total, [n async for n in numbers(2)])
    async with Session() as session:
        opened = session.open
    print(opened, session.open)
    results = await asyncio.gather(failing(1), failing(2), return_exceptions=True)
    print([type(result).__name__ for result in results])
    log = []
    task = asyncio.ensure_future(cancelled(log))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        log.append("seen")
    print(log)


if __name__ == "__main__":
    asyncio.run(main())
