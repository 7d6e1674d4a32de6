# class: machine_code
# rule: native_code
# success: bytes that were judged as a module's are exchanged for others before they are unmarshalled
# proof: word
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


def load(loads, bytecode_path, source_path):
    memory[:] = HONEST
    return loads(memory)


@attempt
def run():
    sys.addaudithook(exchange)
    ways = [marshal.loads]
    del sys.modules["marshal"]
    import marshal as another

    ways.append(another.loads)
    for loads in ways:
        space = {}
        try:
            code = load(loads, CACHED, SOURCE)
        except OSError as error:
            print(error)
            continue
        if code.co_filename == "<made>":
            exec(code, space)
            return space["done"]
    return False
