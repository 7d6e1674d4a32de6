# class: machine_code
# rule: native_code
# success: bytes that were judged as a module's are replaced by others before they are unmarshalled
# proof: word
import _imp
import importlib._bootstrap
import importlib._bootstrap_external
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


def load(bytecode_path, source_path):
    return marshal.loads(memory)


def load_read_only(bytecode_path, source_path):
    return marshal.loads(memoryview(memory).toreadonly())


def load_by_importlib(bytecode_path, source_path):
    return importlib._bootstrap_external._compile_bytecode(
        memoryview(memory), "types", bytecode_path, source_path
    )


def load_frozen(bytecode_path, source_path):
    found = _imp.find_frozen("zipimport", withdata=True)
    memory[:] = bytes(found[0])
    return importlib._bootstrap._call_with_frames_removed(
        _imp.get_frozen_object, "zipimport", memory
    )


@attempt
def run():
    sys.addaudithook(exchange)
    for way in (load, load_read_only, load_by_importlib, load_frozen):
        memory[:] = HONEST
        space = {}
        try:
            code = way(CACHED, SOURCE)
        except (OSError, TypeError, ImportError) as error:
            print(error)
            continue
        if code.co_filename in ("<made>", SOURCE) and "done" in code.co_names:
            exec(code, space)
            return space["done"]
    return False
