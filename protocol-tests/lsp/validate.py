"""Checks messages of the Language Server Protocol with the `lsprotocol` package.

Each line of standard input is `{"method", "kind", "message"}`, where the kind is `request`,
`response` or `notification`; each line of standard output is empty, or says what is wrong.
A message is right if reading it into the protocol's types and writing it again gives the same: what is
missing, of another type, unknown or `null` where it should be left out is not.
"""
import json
import sys

from lsprotocol import converters, types

CONVERTER = converters.get_converter()
OWN = "retrostep/"


def differences(before, after, path=""):
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            if name not in after:
                yield f"{path}.{name} is not known or empty: {before[name]!r}"
            elif name not in before:
                # What has a default value may be left out.
                continue
            else:
                yield from differences(before[name], after[name], f"{path}.{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, pair in enumerate(zip(before, after)):
            yield from differences(*pair, f"{path}[{number}]")
    elif before != after:
        yield f"{path} is {before!r} and not {after!r}"


def check(method, kind, message):
    if message.get("jsonrpc") != "2.0":
        return "no JSON-RPC 2.0"
    if kind == "response" and "error" in message:
        error = message["error"]
        if set(error) - {"code", "message", "data"} or type(error["code"]) is not int:
            return f"no error: {error}"
        return "" if isinstance(error["message"], str) and "result" not in message else f"no error: {error}"
    if kind == "response" and "result" not in message:
        return "a response without a result"
    if method.startswith(OWN):
        return ""
    known = types.METHOD_TO_TYPES.get(method)
    if known is None:
        return f"the protocol has no {method}"
    request, response, _, _ = known
    read = CONVERTER.structure(message, response if kind == "response" else request)
    written = CONVERTER.unstructure(read)
    if kind == "response" and written.get("result") is None:
        written["result"] = None
    return "; ".join(differences(message, written))


for line in sys.stdin:
    told = json.loads(line)
    try:
        wrong = check(told["method"], told["kind"], told["message"])
    except Exception as error:
        notes = [str(error)] + [str(part) for part in getattr(error, "exceptions", [])]
        wrong = f"{type(error).__name__}: {'; '.join(notes)}"
    print(wrong.replace("\n", " "), flush=True)
