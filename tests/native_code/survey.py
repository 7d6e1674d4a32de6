"""Lists what compiled modules of installed packages export and what may take an address.

``python -m tests.native_code.survey FOLDER [BESIDE ...]`` imports each compiled module below FOLDER
in another process, with BESIDE on its path. It prints a line for each export that a person has to
review: file, kind, name and text, separated by tabs. An export that does take an address becomes a
row of address_calls.yaml, whose head lists the packages that were reviewed.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Exists in every Python from 3.9 on: words in a signature, in a name, or at the beginning of a
# docstring.
PROBE = r"""
import builtins, importlib, inspect, re, sys
WORDS = re.compile(
    r"(?i)(?<![a-z])(ptrs?|pointers?|capsules?|voidp|uintptr(_t)?|shadow|unsafe|entry_?point"
    r"|dltensor|(data|buffer|mem(ory)?|base)_?addr(ess)?"
    r"|(addr(ess)?|handle|id)\w*: (typing\.)?(SupportsInt|int)"
    r"|void ?\*|(from|to)[_ ]c|buffer[_ ]info)(?![a-z])"
)
bridges, done = set(), set()
sys.addaudithook(lambda event, words: event == "import"
    and words[0] in ("_ctypes", "_cffi_backend") and bridges.add(words[0]))
def types(kind, seen):
    for each in type.__subclasses__(kind):
        if each not in seen:
            seen.add(each)
            types(each, seen)
    return seen
def told(thing):
    try:
        signature = str(inspect.signature(thing))
    except Exception:
        signature = ""
    doc = getattr(thing, "__doc__", None)
    doc = " ".join(doc.split())[:400] if isinstance(doc, str) else ""
    return f"{signature} {doc}"
def walk(owner, path, depth, home):
    for key in sorted(set(dir(owner))):
        try:
            thing = getattr(owner, key)
        except BaseException:
            continue
        if id(thing) in done or (key.startswith("__") and key != "__init__"):
            continue
        found = WORDS.search(key.replace("_", " ")) or WORDS.search(told(thing))
        if isinstance(thing, type):
            # pyo3 says builtins of a class whose module nobody named.
            whose = str(getattr(thing, "__module__", "")).split(".")[0]
            own = whose == home or (whose == "builtins" and not hasattr(builtins, key))
            if depth < 2 and own:
                done.add(id(thing))
                kept.append(thing)
                if found:
                    print(path, "class", key, told(thing)[:240], sep="\t")
                walk(thing, f"{path}.{key}", depth + 1, home)
        elif callable(thing) and found:
            done.add(id(thing))
            kept.append(thing)
            print(path, "call", key, told(thing)[:240], sep="\t")
kept, known = [], types(object, set())
for name in sys.argv[1:]:
    print(f"# {name}", file=sys.stderr, flush=True)
    had = set(bridges)
    try:
        module = importlib.import_module(name)
    except BaseException as error:
        why = f"{type(error).__name__}: {error}"[:160].replace("\n", " ")
        print(name, "not imported", "", why, sep="\t")
        continue
    if bridges - had:
        print(name, "bridge", "", ", ".join(sorted(bridges)), sep="\t")
    now = types(object, set())
    for made in now - known:
        if made.__name__ == "array" and made.__module__ != "array":
            print(name, "cython array", f"{made.__module__}.{made.__name__}", "", sep="\t")
        if made.__name__ == "SwigPyObject":
            print(name, "swig", made.__name__, "", sep="\t")
    known |= now
    walk(module, name, 0, name.split(".")[0])
    sys.stdout.flush()
"""


def modules(folder: Path) -> list[str]:
    """The names of the compiled modules below ``folder``."""
    found = []
    for path in sorted(folder.rglob("*.so")):
        parts = path.relative_to(folder).parts
        if not any(part.endswith((".libs", ".dylibs")) for part in parts):
            found.append(".".join((*parts[:-1], parts[-1].split(".")[0])))
    return found


def survey(folder: Path, beside: list[Path]) -> list[str]:
    """Print what the modules of ``folder`` export. A module that ends the process is reported and
    left out."""
    left, lines = modules(folder), []
    path = f"import sys; sys.path[:0] = {[str(folder), *map(str, beside)]!r}"
    while left:
        command = [sys.executable, "-c", f"{path}\n{PROBE}", *left]
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        lines += done.stdout.splitlines()
        if done.returncode == 0:
            break
        begun = [line[2:] for line in done.stderr.splitlines() if line[2:] in left]
        if not begun:
            break
        lines.append(f"{begun[-1]}\tended\t\tstatus {done.returncode}")
        left = left[left.index(begun[-1]) + 1 :]
    return lines


if __name__ == "__main__":
    first, *others = [Path(word).resolve() for word in sys.argv[1:]]
    print(*survey(first, others), sep="\n")
