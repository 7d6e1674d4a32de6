# class: machine_code
# rule: native_code
# success: importlib's own function is made to unmarshal bytes other than those that it was given
# proof: word
import functools
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
memory = bytearray(HONEST)


def exchange(event, arguments):
    """Asked after the guard."""
    if event == "marshal.loads":
        memory[: len(CRAFTED)] = CRAFTED


def feed():
    external.marshal = marshal
    yield memory


@attempt
def run():
    sys.addaudithook(exchange)
    loads = functools.partial(next, map(marshal.loads, feed()))
    external.marshal = types.SimpleNamespace(loads=loads)
    code = external._compile_bytecode(memoryview(HONEST), "types", CACHED, SOURCE)
    space = {}
    exec(code, space)
    return space.get("done", False)
