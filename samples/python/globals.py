"""State of the module, changed from everywhere."""
total = 0
names = []
limits = {"low": 1}
flag = None


def add(amount):
    global total, last
    total += amount  # mark: global
    last = amount
    names.append(f"n{amount}")


def change():
    limits["high"] = limits.get("high", 0) + 1
    globals()["made"] = "by name"
    total = "local, not the global"
    return total


for step in range(3):
    add(step)
    flag = step % 2 == 0

change()
if flag:
    note = [total, last]
    note.append(made)
else:
    note = None
del step
print(total, names, limits, flag, note)


class Config:
    level = 1
    levels = [level]
    for extra in range(2):
        levels.append(extra)  # mark: class body
    level += 1


Config.level = 7
Config.levels.append("outside")
try:
    del flag
    flag
except NameError as error:
    text = str(error)
print(Config.level, Config.levels, text)
while total > 0:
    total -= 2
else:
    total = "done"
with_semicolon = 1; with_semicolon += 1
print(total, with_semicolon)
