"""Tests of `generated.py` and `buffer.py`: `python3 -m unittest discover benches`."""
import random
import sys
import unittest

from buffer import Buffer
from generated import Program


class Generated(unittest.TestCase):
    def test_a_program_has_its_lines_and_its_rules_hold(self):
        program = Program(400)
        self.assertEqual(len(program.text.splitlines()), 400)
        self.assertEqual(program.text, Program(400).text)
        namespace, seen, calls = {"__name__": "program"}, {}, {}

        def trace(frame, event, _):
            name, line = frame.f_code.co_name, frame.f_code.co_firstlineno - 1
            if event == "call":
                calls[line, name] = calls.get((line, name), 0) + 1
            if event == "return":
                for variable, value in frame.f_locals.items():
                    seen[variable] = value
            return trace

        code = compile(program.text, "program", "exec")
        exec(code, namespace)
        stdout, sys.stdout = sys.stdout, open("/dev/null", "w")
        sys.settrace(trace)
        try:
            namespace["main"](2, 3)
        finally:
            sys.settrace(None)
            sys.stdout.close()
            sys.stdout = stdout
        self.assertGreater(len(program.constants), 10)
        for at, constant in program.constants.items():
            name = program.lines[at].split()[0]
            self.assertEqual(str(seen[name]), constant, name)
        for at, name in program.functions:
            self.assertEqual(calls[at, name], program.calls(name, 2, 3), name)

    def test_what_the_server_is_told_is_what_the_editor_did(self):
        program = Program(400)
        buffer = Buffer(program)
        lines = list(program.lines)
        random.seed(1)
        for _ in range(60):
            (first, start), (last, end), text = buffer.edit()
            text = lines[first][:start] + text + (lines[last][end:] if last < len(lines) else "")
            lines[first:last + 1] = text.split("\n")
            self.assertEqual(lines, buffer.lines)
            self.assertEqual(len(buffer.origins), len(lines))
        for line, origin in zip(buffer.lines, buffer.origins):
            if origin is not None:
                self.assertEqual(line, program.lines[origin])


if __name__ == "__main__":
    unittest.main()
