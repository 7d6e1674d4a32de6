"""Memory that becomes executable and libraries from writable places, as the libc ring sees them."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import Guarded, interpreters, nodes, rules, run_bare, run_guarded

HERE = Path(__file__).resolve().parent
PYTHON = interpreters()[0]

COUNT = [
    *(
        "mmap",
        "mmap written",
        "mmap file written",
        "mprotect",
        "pkey_mprotect",
        "syscall",
        "mprotect file once written",
    ),
    *("mprotect beyond a file", "memfd", "memfd by syscall", "personality", "shmat"),
]
PASS = ["mmap file", "mprotect file", "personality asked", "malloc"]

# The interpreter raises no event for a call of a function object. ctypes itself is allowed by its
# module.
PROGRAM = """
import ctypes, os, sys
library = ctypes.CDLL(os.environ["ACTS_LIBRARY"])
print(os.strerror(library.act(sys.argv[1].encode())) if sys.argv[1:] else "loaded")
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The acts as a library, below a folder that programs come from."""
    if not shutil.which("gcc"):
        pytest.skip("gcc is not here")
    folder = Path("/usr/local/lib/function-shield-test")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        pytest.skip("only a user who may write to /usr/local")
    out = folder / "libacts.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(out), str(HERE / "acts.c")], check=True)
    yield out
    shutil.rmtree(folder)


def policy(mode: str, *more: str) -> dict[str, object]:
    if mode == "allow":
        return rules(outbound="block", native_code="allow")
    return rules(native_code={"mode": mode, "allow": ["app", *more]})


def run(library: Path, folder: Path, chosen: dict[str, object], *arguments: str) -> Guarded:
    script = folder / "app.py"
    script.write_text(PROGRAM)
    return run_guarded(
        [PYTHON, script, *arguments], policy=chosen, env={"ACTS_LIBRARY": str(library)}
    )


@pytest.mark.parametrize("name", COUNT)
def test_block(library: Path, tmp_path: Path, name: str) -> None:
    done = run(library, tmp_path, policy("block"), name)
    assert done.stdout == "Permission denied\n", done
    (event,) = done.violations
    assert (event["policy"], event["mode"], event["ring"]) == ("native_code", "block", "libc")
    assert event["origin"]["file"] == str(library)
    if name.startswith(("m", "s")) and "memfd" not in name:
        assert event["details"]["path"] == str(library)
        assert f"allow: [{library}]" in event["message"]


@pytest.mark.parametrize("name", COUNT)
@pytest.mark.parametrize("mode", ["alert", "allow"])
def test_same(library: Path, tmp_path: Path, name: str, mode: str) -> None:
    done = run(library, tmp_path, policy(mode), name)
    bare = run_bare([PYTHON, tmp_path / "app.py", name], env={"ACTS_LIBRARY": str(library)})
    assert (done.stdout, done.returncode) == (bare.stdout, bare.returncode)
    assert [event["count"] for event in done.violations] == ([1] if mode == "alert" else []), done


@pytest.mark.parametrize("name", COUNT)
def test_exception_by_library(library: Path, tmp_path: Path, name: str) -> None:
    done = run(library, tmp_path, policy("block", f"{library.parent}/*"), name)
    assert done.stdout != "Permission denied\n" and done.violations == [], done


# polars does this to query the CPU: it runs code in its own pages, through ctypes.
THROUGH_CTYPES = """
import ctypes, mmap
pages = mmap.mmap(-1, mmap.PAGESIZE)
start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
protect = ctypes.CDLL(None, use_errno=True).mprotect
protect.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
print(protect(start, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_EXEC))
"""


@pytest.mark.parametrize("mode", ["alert", "block"])
def test_the_entry_of_an_event_allows_the_act(tmp_path: Path, mode: str) -> None:
    """The library decides, whichever module called it, and the event says so."""
    (tmp_path / "asks_cpu").mkdir()
    (tmp_path / "asks_cpu" / "__init__.py").write_text(THROUGH_CTYPES)
    program: list[str | Path] = [
        PYTHON,
        "-c",
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import asks_cpu",
    ]
    allowed = ["asks_cpu"]
    done = run_guarded(program, policy=rules(native_code={"mode": mode, "allow": allowed}))
    (event,) = done.violations
    assert event["details"]["operation"] == "make memory executable in"
    allowed.append(event["entry"].removeprefix("library: "))
    assert f"native_code: {{allow: [{allowed[1]}]}}" in event["message"]
    done = run_guarded(program, policy=rules(native_code={"mode": mode, "allow": allowed}))
    assert (done.stdout, done.violations) == ("0\n", [])


@pytest.mark.parametrize("name", PASS)
def test_what_passes(library: Path, tmp_path: Path, name: str) -> None:
    done = run(library, tmp_path, policy("block"), name)
    assert (done.stdout, done.violations) == ("Success\n", []), done


PLACES = {
    "folder": "shutil.copy(source, 'copy.so'); path = os.path.abspath('copy.so')",
    "relative": "shutil.copy(source, 'copy.so'); path = './copy.so'",
    "link": (
        "os.path.lexists('link.so') and os.unlink('link.so'); shutil.copy(source, 'c.so');"
        " os.symlink('c.so', 'link.so'); path = './link.so'"
    ),
    "memory": (
        "fd = libc.memfd_create(b'x', 0); os.write(fd, open(source, 'rb').read()); path ="
        " f'/proc/self/fd/{fd}'"
    ),
    "tmp": "path = os.environ['ACTS_COPY']",
    "unlinked": (
        "shutil.copy(source, 'gone.so'); fd = os.open('gone.so', 0); os.unlink('gone.so');"
        " path = f'/proc/self/fd/{fd}'"
    ),
    "written where it belongs": "path = source + '.new'; shutil.copy(source, path)",
}
LOAD = """
import bridge
import ctypes, os, shutil
source, libc = os.environ["ACTS_LIBRARY"], ctypes.CDLL(None)
libc.dlopen.restype = ctypes.c_void_p
{place}
try:
    {load}
except OSError as error:
    print(type(error).__name__)
else:
    print("loaded")
"""
LOADS = {
    "ctypes": "ctypes.CDLL(path)",
    "libc": "if not libc.dlopen(path.encode(), 1): raise OSError",
}


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mode", ["block", "alert"])
def test_library(
    library: Path, tmp_path: Path, tmp_file: Path, place: str, load: str, mode: str
) -> None:
    shutil.copy(library, tmp_file)
    (tmp_path / "bridge.py").write_text(
        "import ctypes\n"
    )  # ctypes is allowed; another test covers its import
    (tmp_path / "app.py").write_text(LOAD.format(place=PLACES[place], load=LOADS[load]))
    chosen = rules(native_code={"mode": mode, "allow": ["bridge"]})
    env = {"ACTS_LIBRARY": str(library), "ACTS_COPY": str(tmp_file)}
    done = run_guarded([PYTHON, tmp_path / "app.py"], policy=chosen, env=env, cwd=tmp_path)
    loads = [event for event in done.violations if event["details"]["operation"] == "load"]
    Path(f"{library}.new").unlink(missing_ok=True)
    assert ("loaded" in done.stdout) == (mode == "alert"), done
    if mode == "alert" or place != "memory":  # here the memory file itself is refused
        assert [event["mode"] for event in loads] == [mode], done


def test_packages_of_their_own(tmp_path: Path) -> None:
    """Loading an extension is not an act if it is older than the process and lies where programs
    come from."""
    done = run_guarded(
        [PYTHON, "-c", "import _decimal, _sqlite3, _ssl; print('fine')"], policy=policy("block")
    )
    assert (done.stdout, done.violations) == ("fine\n", []), done


NODE = """
function f(a) { let s = 0; for (let i = 0; i < 1e6; i++) s += a * i; return s }
for (let i = 0; i < 200; i++) f(i);
new WebAssembly.Module(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
console.log("compiled");
"""


def test_node_compiles(tmp_path: Path) -> None:
    """Node's own compiler makes no event, not even under strict."""
    node = shutil.which("node")
    if not node:
        pytest.skip("node is not here")
    script = tmp_path / "app.js"
    script.write_text(NODE)
    done = run_guarded([node, script], policy="strict")
    assert (done.stdout, done.violations) == ("compiled\n", []), done


def test_node_loads_no_written_library(tmp_path: Path) -> None:
    node = shutil.which("node")
    if not node or not shutil.which("gcc"):
        pytest.skip("node or gcc is not here")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", tmp_path / "x.so", HERE / "acts.c"], check=True
    )
    script = tmp_path / "app.js"
    load = f"process.dlopen({{exports: {{}}}}, {str(tmp_path / 'x.so')!r})"
    script.write_text(f"try {{ {load} }} catch (e) {{ console.log('no') }}")
    done = run_guarded([node, script], policy="strict")
    assert done.stdout == "no\n", done
    (event,) = done.violations
    assert (event["policy"], event["details"]["path"]) == ("native_code", str(tmp_path / "x.so"))


# Ways of Node, Ruby and Java to any function of any library, known by their files' names. Node
# loads them all.
NODE_LOADS = """
try {
  process.dlopen({ exports: {} }, process.env.ACTS_LIBRARY);
} catch (error) {
  console.log(/refused by function_shield/.test(error.message) ? "refused" : error.code);
}
"""


BRIDGES = [
    "koffi.node",
    "ffi-rs.a.node",
    "ffi_bindings.node",
    "ffi-napi/prebuilds/linux-x64/node.napi.uv1.node",
    "fiddle.so",
    "ffi_c.so",
    "libjnidispatch.so",
]


@pytest.mark.parametrize("name", BRIDGES)
@pytest.mark.parametrize("node", nodes(), ids=lambda node: node.parts[-3])
def test_library_that_calls_any_function(
    library: Path, tmp_path: Path, node: Path, name: str
) -> None:
    named = library.parent / name
    named.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(library, named)
    script = tmp_path / "app.js"
    script.write_text(NODE_LOADS)
    env = {"ACTS_LIBRARY": str(named)}
    bare = run_bare([node, script], env=env)
    assert bare.stdout == "ERR_DLOPEN_FAILED\n"  # it registers no module
    for mode, expected in (("block", "refused\n"), ("alert", bare.stdout)):
        done = run_guarded([node, script], policy=rules(native_code=mode), env=env)
        assert done.stdout == expected, done
        (event,) = done.violations
        assert (event["mode"], event["details"]["path"]) == (mode, str(named))
    chosen = rules(native_code={"mode": "block", "allow": [str(named)]})
    done = run_guarded([node, script], policy=chosen, env=env)
    assert (done.stdout, done.violations) == (bare.stdout, []), done


@pytest.mark.parametrize("name", ["fiddle", "ffi_bindings", "koffi", "ffi_c"])
def test_names_of_other_languages_are_honest_in_python(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.py").write_text("print('fine')")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {name}"
    done = run_guarded([PYTHON, "-c", program], policy=rules(native_code="block"))
    assert (done.stdout, done.violations) == ("fine\n", []), done


# An extension module that makes itself, and says so from a door.
EXTENSION = r"""
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
extern void *PyModule_Create2(void *, int);
static char zeros[3000000];
static struct {
    long base[5];
    const char *name, *doc;
    long size;
    void *rest[6];
} module = {.base = {1}, .name = "made", .size = -1};
NOTE
void *PyInit_made(void)
{
    zeros[1]++;
    close(open("/etc/hostname", O_RDONLY));
    puts("made");
    return PyModule_Create2(&module, 1013);
}
"""
# As Go's linker writes it; `SIZE` is the length of the name.
NOTE = r"""
__asm__(".pushsection .note.go.buildid, \"a\", %note\n"
        ".balign 4\n.long SIZE, 8, 4\n.ascii \"Go\\0\\0\"\n.ascii \"build id\"\n.popsection");
"""
PT_LOAD, PT_NOTE, PAGE = 1, 4, 4096
HEADER = struct.Struct("<IIQQQQQQ")  # type, flags, offset, vaddr, paddr, filesz, memsz, align


def headers_of(library: bytes) -> list[list[int]]:
    (start,) = struct.unpack_from("<Q", library, 32)
    (count,) = struct.unpack_from("<H", library, 56)
    return [list(HEADER.unpack_from(library, start + HEADER.size * i)) for i in range(count)]


def written(library: bytes, headers: list[list[int]], start: int) -> bytes:
    """The library with these program headers at `start`."""
    out = bytearray(library.ljust(start + HEADER.size * len(headers), b"\0"))
    for i, header in enumerate(headers):
        HEADER.pack_into(out, start + HEADER.size * i, *header)
    struct.pack_into("<Q", out, 32, start)
    struct.pack_into("<H", out, 56, len(headers))
    return bytes(out)


def headers_at_end(library: bytes) -> bytes:
    """As tools that add program headers may do. Memory lies elsewhere than in the file."""
    headers = headers_of(library)
    end = max(header[3] + header[6] for header in headers if header[0] == PT_LOAD)
    start, address = -(-len(library) // PAGE) * PAGE, -(-end // PAGE) * PAGE
    size = HEADER.size * (len(headers) + 1)
    headers.append([PT_LOAD, 4, start, address, address, size, size, PAGE])
    headers.sort(key=lambda header: (header[0] != PT_LOAD, header[3] * (header[0] == PT_LOAD)))
    return written(library, headers, start)


def note_in_a_hole(library: bytes) -> bytes:
    """The loader reserves what lies between two parts, without access."""
    headers = headers_of(library)
    parts = [header for header in headers if header[0] == PT_LOAD]
    hole = -(-(parts[0][3] + parts[0][6]) // PAGE) * PAGE
    assert hole + PAGE < parts[1][3]
    for header in headers:
        if header[0] == PT_NOTE:
            header[3:7] = hole, hole, 0, PAGE
    return written(library, headers, 64)


def note_beyond(library: bytes) -> bytes:
    """Its address and size overflow."""
    headers = headers_of(library)
    for header in headers:
        if header[0] == PT_NOTE:
            header[3:7] = 2**64 - 2**46, 0, 0, 2**46
    return written(library, headers, 64)


def as_linked(library: bytes) -> bytes:
    return library


LAYOUTS = {
    "as linked": (as_linked, ""),
    "headers at the end": (headers_at_end, ""),
    "a note in a hole": (note_in_a_hole, NOTE.replace("SIZE", "5")),
    "a note beyond": (note_beyond, NOTE.replace("SIZE", "5")),
    "a long name": (as_linked, NOTE.replace("SIZE", "0xffffffff")),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mode", ["block", "alert"])
def test_layouts_of_libraries(library: Path, tmp_path: Path, layout: str, mode: str) -> None:
    """What the loader accepts is loaded, without a crash."""
    change, note = LAYOUTS[layout]
    (tmp_path / "made.c").write_text(EXTENSION.replace("NOTE", note, 1))
    linked, made = tmp_path / "linked.so", library.with_name("made.so")
    separate = "-Wl,-z,separate-code,-z,max-page-size=0x200000"
    source = ("-shared", "-fPIC", separate, str(tmp_path / "made.c"))
    subprocess.run(["gcc", *source, "-o", str(linked)], check=True)
    made.write_bytes(change(linked.read_bytes()))
    program = f"import sys; sys.path.insert(0, {str(made.parent)!r}); import made"
    assert run_bare([PYTHON, "-c", program]).stdout == "made\n"
    chosen = rules(native_code={"mode": mode, "allow": [str(made)]}, outbound="block")
    done = run_guarded([PYTHON, "-c", program], policy=chosen)
    assert (done.stdout, done.returncode, done.violations) == ("made\n", 0, []), done
