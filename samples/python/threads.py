"""Threads with names of their own that share a list and a lock."""
import queue
import threading

results = []
lock = threading.Lock()
local = threading.local()


def work(name, count):
    local.value = 0
    for number in range(count):
        square = number * number
        local.value += square
        with lock:
            results.append((name, square))  # mark: shared
    return local.value


def consume(inbox, outbox):
    while True:
        item = inbox.get()
        if item is None:
            outbox.put("end")
            return
        outbox.put(item * 2)


def fail():
    try:
        raise KeyError("in a thread")
    except KeyError as error:
        results.append(("failed", error.args[0]))


def main():
    threads = [threading.Thread(target=work, args=(name, 3), name=name) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    inbox, outbox = queue.Queue(), queue.Queue()
    consumer = threading.Thread(target=consume, args=(inbox, outbox), name="consumer")
    consumer.start()
    for number in range(3):
        inbox.put(number)
    inbox.put(None)
    consumer.join()
    failing = threading.Thread(target=fail, name="failing")
    failing.start()
    failing.join()
    print(sorted(results, key=str))
    print([outbox.get() for _ in range(4)])


if __name__ == "__main__":
    main()
