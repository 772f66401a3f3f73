"""Programs that trace themselves."""
import bdb
import sys
import threading


def work(n):
    total = 0
    for i in range(n):
        total += i
    return total


def traced():
    seen = []

    def tracer(frame, event, argument):
        if frame.f_code.co_name == "work":
            seen.append((event, frame.f_lineno - frame.f_code.co_firstlineno))
            return tracer
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    print(sys.gettrace() is tracer)
    work(2)
    sys.settrace(before)
    work(1)
    print(seen)


def profiled():
    seen = []
    sys.setprofile(lambda frame, event, argument: seen.append((event, frame.f_code.co_name)))
    work(1)
    sys.setprofile(None)
    print(seen)


def monitored():
    if not hasattr(sys, "monitoring"):
        return
    monitoring = sys.monitoring
    lines = []
    tool = monitoring.PROFILER_ID
    monitoring.use_tool_id(tool, "sample")
    events = monitoring.events
    monitoring.register_callback(tool, events.LINE, lambda code, line: lines.append(line - code.co_firstlineno))
    monitoring.set_local_events(tool, work.__code__, events.LINE)
    work(2)
    monitoring.set_local_events(tool, work.__code__, 0)
    monitoring.register_callback(tool, events.LINE, None)
    monitoring.free_tool_id(tool)
    work(2)
    print(lines)


def instructions():
    """Instruction events come where the program asks for them, and nowhere else."""
    seen = []

    def tracer(frame, event, argument):
        if frame.f_code.co_name not in ("work", "fill"):
            return None
        before = frame.f_trace_opcodes
        frame.f_trace_opcodes = frame.f_code.co_name == "fill" and event != "return"
        seen.append((frame.f_code.co_name, event, before))
        return tracer

    def fill(items):
        items.append(1)
        items[0] = 2
        return items

    sys.settrace(tracer)
    work(2)
    fill([])
    work(1)
    sys.settrace(None)
    fill([])
    print(seen)


class Count(bdb.Bdb):
    lines = 0

    def user_line(self, frame):
        self.lines += 1
        self.set_step()


def debugger():
    count = Count()
    count.runcall(work, 3)
    print(count.lines)


def in_threads():
    seen = []
    threading.settrace(lambda frame, event, argument: seen.append(event))
    thread = threading.Thread(target=work, args=(1,))
    thread.start()
    thread.join()
    threading.settrace(None)
    print(bool(seen))


traced()
profiled()
monitored()
instructions()
debugger()
in_threads()
print(work(4))
