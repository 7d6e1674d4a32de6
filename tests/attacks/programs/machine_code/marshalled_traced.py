# class: machine_code
# rule: native_code
# success: importlib's own function unmarshals other bytes, which a trace of its steps put into its
#   variable
# proof: word
# needs: python>=3.13
import dis
import importlib._bootstrap_external as external
import importlib.util
import marshal
import sys
import types

from attack import attempt

SOURCE = types.__file__
CACHED = importlib.util.cache_from_source(SOURCE)
with open(CACHED, "rb") as opened:
    HONEST = opened.read()[16:]
CRAFTED = marshal.dumps(compile("done = True", "<made>", "exec"))
CODE = external._compile_bytecode.__code__
STEPS = {step.offset: step for step in dis.get_instructions(CODE)}
memory = bytearray(HONEST)
kept = []


def exchange(event, arguments):
    """Asked after the guard."""
    if event == "marshal.loads":
        memory[: len(CRAFTED)] = CRAFTED


def trace(frame, event, argument):
    if frame.f_code is not CODE:
        return None
    frame.f_trace_opcodes = True
    step = STEPS.get(frame.f_lasti) if event == "opcode" else None
    if step and step.argval == "data" and not kept:
        kept.append(frame.f_locals["data"])
        frame.f_locals["data"] = memory
    elif step and step.opname.startswith("CALL") and len(kept) == 1:
        frame.f_locals["data"] = kept[0]
        kept.append(None)
    return trace


@attempt
def run():
    sys.addaudithook(exchange)
    sys.settrace(trace)
    code = external._compile_bytecode(memoryview(HONEST), "types", CACHED, SOURCE)
    sys.settrace(None)
    space = {}
    exec(code, space)
    return space.get("done", False)
