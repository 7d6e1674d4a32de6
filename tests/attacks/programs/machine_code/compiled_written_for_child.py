# class: machine_code
# rule: native_code
# policy: child-allowed.yaml
# quiet: importlib is told that there is no compiled form, and compiles the source
# success: a child imports a compiled module that the function wrote, with other code than its
#   source
# proof: word
import importlib.util
import marshal
import os

from attack import attempt, child


@attempt
def run():
    os.mkdir("made")
    source = os.path.abspath("made/innocent.py")
    with open(source, "w") as opened:
        opened.write("done = False\n")
    compiled = importlib.util.cache_from_source(source)
    os.makedirs(os.path.dirname(compiled), exist_ok=True)
    with open(compiled, "wb") as opened:
        # By the hash of a source that nobody checks.
        opened.write(importlib.util.MAGIC_NUMBER + b"\1\0\0\0" + bytes(8))
        opened.write(marshal.dumps(compile("done = True", source, "exec")))
    said = child(
        "import innocent; print(innocent.done)",
        env={**os.environ, "PYTHONPATH": os.path.dirname(source)},
    )
    return said.strip() == b"True"
