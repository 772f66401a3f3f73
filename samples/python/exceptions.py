"""Raising, catching, cleaning up, and what runs when."""


class Refused(Exception):
    def __init__(self, reason, code):
        super().__init__(reason)
        self.code = code


def finally_returns():
    for number in range(3):
        try:
            if number == 1:
                continue
            if number == 2:
                return "try"
        finally:
            number += 10  # mark: finally
    return "end"


def nested(value):
    log = []
    try:
        try:
            log.append(1 / value)  # mark: divide
        except TypeError:
            log.append("type")
        else:
            log.append("fine")
        finally:
            log.append("inner")
    except ZeroDivisionError as error:
        log.append(str(error))
        try:
            raise Refused("no zero", code=7) from error
        except Refused as refused:
            log.append((refused.args, refused.code))
    else:
        log.append("else")
    return log


def deep(level):
    try:
        if level == 0:
            raise Refused("bottom", level)  # mark: bottom
        deep(level - 1)
    except Refused as error:
        if level < 3:
            raise
        return error.code
    finally:
        level = None


def retry(times):
    tried = 0
    while True:
        tried += 1
        try:
            int("x" if tried < times else "1")
        except ValueError:
            continue
        break
    return tried


def unwinding(log):
    try:
        [].pop()
    except IndexError:
        log.append("caught")
        raise
    finally:
        log.append("left")


def main():
    print(finally_returns())
    for value in (2, 0, "a"):
        try:
            print(nested(value))
        except TypeError as error:
            print("nested", error)
    print(deep(3))
    print(retry(3))
    log = []
    try:
        unwinding(log)
    except LookupError as error:
        log.append(type(error).__name__)
    print(log)
    try:
        assert not log, "log is full"
    except AssertionError as error:
        print(error)


if __name__ == "__main__":
    main()
