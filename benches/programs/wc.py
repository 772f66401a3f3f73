"""Workload c: text, lists and dicts."""
import measured

WORDS = ("a boat of seven grey owls drifts under bright northern lights and nobody "
         "aboard knows which quiet island the captain really meant to visit first").split()


def sentences(count):
    made = []
    seed = 4242
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) % 2147483648
        length = 3 + seed % 6
        words = []
        for _ in range(length):
            seed = (seed * 1103515245 + 12345) % 2147483648
            words.append(WORDS[(seed >> 8) % len(WORDS)])
        made.append(" ".join(words))
    return made


def split(sentence):
    kept = []
    for word in sentence.split():
        plain = word.strip(".,").lower()
        if len(plain) > 2:
            kept.append(plain)
    return kept


def index(lines):
    counts = {}
    places = {}
    for number, line in enumerate(lines):
        for word in split(line):
            counts[word] = counts.get(word, 0) + 1
            if word not in places:
                places[word] = []
            places[word].append(number)
    return counts, places


def table(counts, places):
    rows = []
    for word, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        first = places[word][0]
        rows.append({"word": word, "count": count, "first": first})
    return rows


def main():
    counts, places = index(sentences(900))
    rows = table(counts, places)
    return len(rows), rows[0]["word"], rows[0]["count"]


if __name__ == "__main__":
    measured.run(main)
