"""``fshield check --function`` names everything in a package that the guard cannot hold, and
nothing else."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.bundle import elf, machine_code
from fshield.bundle.inspect import Subject, inspect
from fshield.cli.app import app
from fshield.engine.check import check_package
from tests.census import census
from tests.fshield.conftest import BUILDER

TARGETS = {"x86_64": "x86_64-linux-gnu.2.17", "arm64": "aarch64-linux-gnu.2.17"}
# A library that makes its own connect system call, one that only maps memory, and one whose bytes
# merely look like a system call.
_X86 = (
    'long f(long n) {{ long r; __asm__ volatile("syscall" : "=a"(r) : "a"({}) : "rcx", "r11");'
    " return r; }}"
)
_ARM = """long f(long v) {{
    register long n __asm__("x8") = {}, r __asm__("x0") = v;
    __asm__ volatile("svc 0" : "+r"(r) : "r"(n));
    return r;
}}"""
CALLS = {
    "x86_64": {
        "connects": _X86.format("42L"),
        "maps": _X86.format("9L"),
        "computed": _X86.format("n"),
        "innocent": "long f(long x) { return x ^ 0x050f050f; }",
    },
    "arm64": {
        "connects": _ARM.format("203"),
        "maps": _ARM.format("222"),
        "computed": _ARM.format("v"),
        "innocent": "const unsigned x = 0xd4000001; const unsigned *f(void) { return &x; }",
    },
}


def build(out: Path, text: str, *options: str, architecture: str = "x86_64") -> Path:
    """Compile C for ``architecture`` with zig."""
    source = out.with_suffix(".c")
    source.write_text(text)
    command = [
        BUILDER,
        "-m",
        "ziglang",
        "cc",
        "-target",
        TARGETS[architecture],
        "-O1",
        *options,
    ]
    subprocess.run(
        [*command, "-o", str(out), str(source)], check=True, capture_output=True, timeout=120
    )
    source.unlink()
    return out


def messages(package: Path, policy: Path | None = None) -> dict[str, str]:
    from fshield.language.loader import load  # noqa: PLC0415 - only where a policy is named

    subject = Subject(load(policy) if policy else None)
    found: dict[str, str] = {}
    for finding in inspect(package, subject):
        found[Path(finding.file.rsplit(":", 1)[-1]).name] = finding.message
    return found


def test_metadata_under_the_name_of_another_package(tmp_path: Path) -> None:
    for name in ("stripe-1.0", "Stripe-9.9", "requests-2.0", "sub/stripe-1.0"):
        (tmp_path / f"{name}.dist-info").mkdir(parents=True)
        (tmp_path / f"{name}.dist-info" / "METADATA").write_text("Name: x\n")
    (found,) = inspect(tmp_path, Subject())
    assert found.file.endswith("stripe-1.0.dist-info/METADATA") and "sub" not in found.file
    assert "named 'stripe', beside 'Stripe-9.9.dist-info'" in found.message


FOR_SOME = """version: 1
policy:
  outbound_connectivity:
    allow:
      - {host: api.stripe.com, only_for: [stripe, requests, function]}
      - {host: cache.example, only_for: [redis, boto3]}
"""


def installed(package: Path, name: str, *lists: str) -> None:
    """Write metadata as an installer does."""
    folder = package / f"{name}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Name: {name.partition('-')[0]}\n")
    own = [f"{name}.dist-info/METADATA,sha256=x,1", f"{name}.dist-info/RECORD,,"]
    (folder / "RECORD").write_text("\n".join([*(f"{path},," for path in lists), *own]))


@pytest.mark.parametrize("prefix", ["", "../../", "tintbox-1.0.data/purelib/"])
def test_metadata_that_a_package_brings_along(tmp_path: Path, prefix: str) -> None:
    installed(tmp_path, "requests-2.0", "requests/__init__.py", "requests/x-1.dist-info/METADATA")
    installed(tmp_path, "stripe-9.9", "tintbox.py")
    installed(tmp_path, "tintbox-1.0", f"{prefix}stripe-9.9.dist-info/METADATA")
    installed(tmp_path, "x-1")
    (found,) = inspect(tmp_path, Subject())
    assert found.file.endswith("stripe-9.9.dist-info/METADATA")
    assert "'tintbox-1.0.dist-info' brought this metadata" in found.message
    assert "counts as 'stripe'" in found.message


def test_entries_for_what_the_package_does_not_hold(tmp_path: Path) -> None:
    policy, package = tmp_path / "p.yaml", tmp_path / "package"
    policy.write_text(FOR_SOME)
    installed(package, "Stripe-9.9")
    found = {
        finding.line: finding.message
        for finding in check_package(package, policy)
        if "only_for" in finding.message
    }
    assert [*found] == [5, 6]
    assert found[5].startswith("only_for names requests, and") and "redis," in found[6]
    installed(package, "requests-2.0")
    installed(package / "python", "redis-1")
    assert [f for f in check_package(package, policy) if "only_for" in f.message] == []


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_calls_without_libc(tmp_path: Path, architecture: str) -> None:
    for name, text in CALLS[architecture].items():
        build(tmp_path / f"{name}.so", text, "-shared", "-fPIC", architecture=architecture)
    by_file = messages(tmp_path)
    assert by_file["connects.so"].startswith("makes system calls without libc: connect")
    assert "computed" in by_file["computed.so"]
    assert set(by_file) == {"connects.so", "computed.so"}


def test_stripped_of_all_tables(tmp_path: Path) -> None:
    flags = ("-shared", "-fPIC", "-s", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables")
    build(tmp_path / "connects.so", CALLS["x86_64"]["connects"], *flags)
    assert "connect" in messages(tmp_path)["connects.so"]


def test_what_each_means_under_a_policy(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    build(package / "connects.so", CALLS["x86_64"]["connects"], "-shared", "-fPIC")
    strict, monitor = (Path("policies") / f"{name}.yaml" for name in ("strict", "monitor"))
    assert (
        "policy strict says block for outbound_connectivity"
        in messages(package, strict)["connects.so"]
    )
    assert "policy monitor blocks none of it" in messages(package, monitor)["connects.so"]


def test_programs(tmp_path: Path) -> None:
    main = "int main(void) { return 0; }"
    build(tmp_path / "dynamic", main)
    subprocess.run(
        ["gcc", "-static", "-o", tmp_path / "static", "-x", "c", "-"],
        input=main.encode(),
        check=True,
    )
    subprocess.run(
        ["gcc", "-static-pie", "-o", tmp_path / "pie", "-x", "c", "-"],
        input=main.encode(),
        check=True,
    )
    loader = "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1"
    subprocess.run(
        ["gcc", loader, "-o", tmp_path / "musl", "-x", "c", "-"], input=main.encode(), check=True
    )
    by_file = messages(tmp_path)
    assert set(by_file) == {"static", "pie", "musl"}
    assert all(by_file[name].startswith("a static program") for name in ("static", "pie"))
    assert "/lib/ld-musl-x86_64.so.1" in by_file["musl"]


def test_go_and_sqlite(tmp_path: Path) -> None:
    go = '__asm__(".section .go.buildinfo,\\"a\\"\\n.ascii \\"\\\\377 Go buildinf:\\"\\n.text");'
    # By gcc, because zig's linker drops a section that nothing refers to.
    command = ["gcc", "-shared", "-fPIC", "-o", str(tmp_path / "go.so"), "-x", "c", "-"]
    subprocess.run(command, input=f"{go} int f(void) {{ return 0; }}".encode(), check=True)
    sqlite = 'const char *const f[] = {"SQLite format 3", "fts3_tokenizer"};'
    build(tmp_path / "sqlite.so", sqlite, "-shared", "-fPIC")
    by_file = messages(tmp_path)
    assert by_file["go.so"].startswith("a Go library")
    strict = messages(tmp_path, Path("policies") / "strict.yaml")
    assert "policy strict refuses it as an extension module" in strict["go.so"]
    assert "FTS3" in by_file["sqlite.so"]


def test_what_takes_an_address(tmp_path: Path) -> None:
    cython = 'const char *const f[] = {"View.MemoryView", "allocate_buffer"};'
    for place, text in {
        "lxml/etree.cpython-313-x86_64-linux-gnu.so": cython,
        "lxml/objectify.abi3.so": cython,
        "other/fast.so": cython,
        "python/lib/python3.13/site-packages/pyarrow/lib.cpython-313-x86_64-linux-gnu.so": "int f;",
        "python/_cffi_backend.so": "int f;",
        "mine/pyarrow/lib.so": "int f;",
    }.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        build(tmp_path / place, text, "-shared", "-fPIC")
    by_file = messages(tmp_path)
    # lxml is named once. If a file's name says nothing, its content decides.
    assert sorted(by_file) == sorted(
        [
            "_cffi_backend.so",
            "etree.cpython-313-x86_64-linux-gnu.so",
            "fast.so",
            "lib.cpython-313-x86_64-linux-gnu.so",
        ]
    )
    assert "native_code: block refuses its import" in by_file["_cffi_backend.so"]
    strict = messages(tmp_path, Path("policies") / "strict.yaml")
    assert "policy strict says block for native_code, and does not see it" in strict["fast.so"]


def test_path_files_and_source_maps_in_a_zip(tmp_path: Path) -> None:
    package = tmp_path / "function.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...\n")
        archive.writestr("runs.pth", "folder\nimport runs\n")
        archive.writestr("harmless.pth", "folder\n")
        archive.writestr(
            "data/other.pth", "import never_read\n"
        )  # Python reads no .pth file in such a folder
        archive.writestr(
            "index.js.map",
            json.dumps({"version": 3, "sourcesContent": ["export const handler = 1"]}),
        )
        archive.writestr(
            "node_modules/express/index.js.map",
            json.dumps({"version": 3, "sourcesContent": ["exports.x = 1"]}),
        )
        archive.writestr("empty.js.map", json.dumps({"version": 3, "sources": ["index.ts"]}))
    found = list(inspect(package, Subject()))
    assert [(finding.file, finding.line) for finding in found] == [
        (f"{package}:index.js.map", 1),
        (f"{package}:runs.pth", 2),
    ]


def test_command(tmp_path: Path) -> None:
    build(tmp_path / "connects.so", CALLS["x86_64"]["connects"], "-shared", "-fPIC")
    arguments = ["check", "--function", str(tmp_path)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert CliRunner().invoke(app, [*arguments, "--strict"]).exit_code == 1
    answer = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).output)
    assert [Path(finding["file"]).name for finding in answer["findings"]] == ["connects.so"]
    assert (
        CliRunner().invoke(app, ["check", "--function", str(tmp_path / "missing")]).exit_code == 2
    )
    (tmp_path / "broken.zip").write_bytes(b"PK")
    assert (
        CliRunner().invoke(app, ["check", "--function", str(tmp_path / "broken.zip")]).exit_code
        == 2
    )


def test_damaged_binaries_are_said_and_never_crash(tmp_path: Path) -> None:
    whole = build(
        tmp_path / "connects.so", CALLS["x86_64"]["connects"], "-shared", "-fPIC"
    ).read_bytes()
    for size in (5, 16, 64, 200, len(whole) // 2, len(whole) - 100):
        elf.read(whole[:size])
    for at in range(16, 64):
        elf.read(whole[:at] + b"\xff" + whole[at + 1 :])


def test_a_folder_is_its_policies(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("version: 1\npolicy: {read_handler: block}\n")
    assert CliRunner().invoke(app, ["check", str(tmp_path)]).exit_code == 0
    (tmp_path / "bad.yaml").write_text("version: 1\npolicy: {read_handler: blok}\n")
    done = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert done.exit_code == 1
    assert "bad.yaml:2" in done.output
    empty = tmp_path / "empty"
    empty.mkdir()
    assert CliRunner().invoke(app, ["check", str(empty)]).exit_code == 2


def test_the_table_has_every_judged_system_call() -> None:
    for architecture, column in (("x86_64", 1), ("arm64", 2)):
        known = {call.name: number for number, call in machine_code.table(architecture).items()}
        for line in census.SYSCALLS.read_text().splitlines():
            cells = line.split("\t")
            if line and not line.startswith("#") and cells[column] != "-":
                assert known.get(cells[0]) == int(cells[column]), cells[0]
