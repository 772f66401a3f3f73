"""Threads that count words, each its own. Arguments: rounds, threads."""
import sys
import threading

WORDS = "ash beech elm fir oak pine yew".split()


def work(rounds, seed, results):
    counts = {}
    for number in range(rounds):
        word = WORDS[(seed + number * number) % len(WORDS)]
        counts[word] = counts.get(word, 0) + 1
    results[seed] = max(counts.values())


def main():
    results = {}
    threads = [
        threading.Thread(target=work, args=(int(sys.argv[1]), seed, results))
        for seed in range(int(sys.argv[2]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sorted(results.values())[0])


main()
