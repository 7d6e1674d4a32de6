# class: machine_code
# rule: native_code
# success: bytes of a compiled module that the function wrote are passed to importlib's own function
# proof: word
import importlib._bootstrap_external as external
import importlib.util
import marshal
import os

from attack import attempt


@attempt
def run():
    os.mkdir("made")
    source = os.path.abspath("made/innocent.py")
    with open(source, "w") as opened:
        opened.write("done = False\n")
    compiled = importlib.util.cache_from_source(source)
    os.makedirs(os.path.dirname(compiled), exist_ok=True)
    code = marshal.dumps(compile("done = True", source, "exec"))
    with open(compiled, "wb") as opened:
        opened.write(importlib.util.MAGIC_NUMBER + b"\1\0\0\0" + bytes(8) + code)
    space = {}
    exec(external._compile_bytecode(memoryview(code), "innocent", compiled, source), space)
    return space.get("done", False)
