"""`fshield diff --dependencies`: the new acts that a change of a lock file brings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from fshield.cli.app import app
from fshield.errors import CouldNotRun, PolicyError
from fshield.evidence.lockfiles import Lock, read_lock
from fshield.evidence.updates import updates
from tests.fshield.recorded import Log, stack

HASHED = """\
# made by pip-compile
--index-url https://pypi.example/simple
requests[socks]==2.31.0 ; python_version > "3" \\
    --hash=sha256:aaaa \\
    --hash=sha256:bbbb
    # via -r requirements.in
urllib3==2.0.7 \\
    --hash=sha256:cccc
    # via
    #   requests
    #   botocore
Typing_Extensions===4.9  # via pydantic, requests
-e .
./local-wheels/mine.whl
charset-normalizer @ https://files.example/charset_normalizer-3.3.2-py3-none-any.whl#sha256=1
git+https://git.example/x.git@main#egg=from-git
"""
NPM = {
    "name": "shop",
    "lockfileVersion": 3,
    "packages": {
        "": {"dependencies": {"axios": "^1.14"}},
        "packages/web": {"version": "1.0.0"},
        "node_modules/web": {"resolved": "packages/web", "link": True},
        "node_modules/axios": {
            "version": "1.14.0",
            "integrity": "sha512-A",
            "dependencies": {"follow-redirects": "^1"},
        },
        "node_modules/follow-redirects": {"version": "1.15.0"},
        "node_modules/@scope/lib": {"version": "2.0.0"},
        "node_modules/@scope/lib/node_modules/axios": {"version": "0.27.2"},
    },
}
POLICY = """\
version: 1
policy:
  outbound_connectivity:
    mode: block
    allow:
      - {host: api.stripe.com, only_for: [stripe]}
      - {host: files.example, only_for: [unknown]}
      - host: status.example
  read_write_tmp: alert
"""


def lock(path: Path, text: str | dict[str, Any]) -> Path:
    path.write_text(text if isinstance(text, str) else json.dumps(text, indent=2))
    return path


def command(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["diff", "--dependencies", *map(str, words)])


def versions(found: Lock) -> dict[str, list[str]]:
    return {name: sorted(pin.versions) for name, pin in found.pins.items()}


def changed(tmp_path: Path, old: str, new: str) -> dict[str, str]:
    before, after = lock(tmp_path / "old.txt", old), lock(tmp_path / "new.txt", new)
    return {one.name: one.change for one in updates(read_lock(before), read_lock(after)).found}


# ---- reading ----


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_requirements_with_hashes_and_without(tmp_path: Path, ends: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes(b"\xef\xbb\xbf" + HASHED.replace("\n", ends).encode())
    found = read_lock(path)
    assert versions(found) == {
        "requests": ["2.31.0"],
        "urllib3": ["2.0.7"],
        "typing-extensions": ["4.9"],
        "charset-normalizer": [
            "https://files.example/charset_normalizer-3.3.2-py3-none-any.whl#sha256=1"
        ],
        "from-git": ["git+https://git.example/x.git@main#egg=from-git"],
    }
    assert found.pins["requests"].hashes == {"sha256:aaaa", "sha256:bbbb"}
    assert [found.pins[name].line for name in ("requests", "urllib3")] == [3, 7]
    assert found.pins["requests"].required_by == set()
    assert found.pins["urllib3"].required_by == {"requests", "botocore"}
    assert found.pins["typing-extensions"].required_by == {"pydantic", "requests"}


def test_package_locks_of_npm(tmp_path: Path) -> None:
    path = lock(tmp_path / "package-lock.json", NPM)
    found, text = read_lock(path), path.read_text()
    assert versions(found) == {
        "axios": ["0.27.2", "1.14.0"],
        "follow-redirects": ["1.15.0"],
        "@scope/lib": ["2.0.0"],
    }
    assert found.requirers("follow-redirects") == {"axios"}
    assert found.pins["axios"].hashes == {"sha512-A"} and found.pins["axios"].line == 1 + next(
        at for at, line in enumerate(text.splitlines()) if '"node_modules/axios": {' in line
    )
    old = {
        "lockfileVersion": 1,
        "dependencies": {
            "a": {
                "version": "1.0.0",
                "requires": {"b": "^1"},
                "dependencies": {"b": {"version": "1.1.0"}},
            },
            "b": {"version": "2.0.0"},
        },
    }
    found = read_lock(lock(tmp_path / "package-lock.json", old))
    assert versions(found) == {"a": ["1.0.0"], "b": ["1.1.0", "2.0.0"]}
    assert found.requirers("b") == {"a"}


def test_the_locks_of_this_repository_are_read() -> None:
    root = Path(__file__).resolve().parents[2]
    for name in ("requirements.lock", "requirements-demo.lock", "examples/ten/requirements.lock"):
        text = (root / name).read_text()
        found = read_lock(root / name)
        assert sum(len(pin.versions) for pin in found.pins.values()) == len(
            {line.split(";")[0].strip(" \\") for line in text.splitlines() if "==" in line[:60]}
        ), name


@pytest.mark.parametrize(
    ("text", "line", "message", "fix"),
    [
        ("a==1\nrequests>=2\n", 2, "requests is not pinned to one version", "requests==VERSION"),
        ("a==1\n\nflask\n", 3, "flask is not pinned", "flask==VERSION"),
        ("a==1.*\n", 1, "a is not pinned", "a==VERSION"),
        ("a==1,!=2\n", 1, "a is not pinned", "a==VERSION"),
        ("a==1\n-r other.txt\n", 2, "it names another file", "pip-compile"),
        ("a==1\n[tool]\n", 2, "is not a requirement", "NAME==VERSION"),
        ("a==1\nhttps://x.example/y.zip\n", 2, "no name of a package", "NAME @ URL"),
        ('{"lockfileVersion": 3,\n "packages": {,}}', 2, "not JSON", "npm install"),
        ('{"name": "x"}', 1, "not a package-lock.json", "npm install"),
        (
            '{"lockfileVersion": 3, "packages": {\n"node_modules/b": {}}}',
            2,
            "b has no version",
            "npm install",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, text: str, line: int, message: str, fix: str
) -> None:
    path = lock(tmp_path / "new.lock", text)
    done = command(lock(tmp_path / "old.lock", "a==1\n"), path)
    assert done.exit_code == 2
    assert f"new.lock:{line}:" in done.stderr and message in done.stderr
    assert fix in done.stderr.partition("fix:")[2]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("poetry.lock", "", "poetry export"),
        ("yarn.lock", "", "package-lock-only"),
        ("empty.lock", "# nothing\n", "names no package"),
    ],
)
def test_what_is_not_a_lock_that_is_read(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    done = command(lock(tmp_path / name, text), tmp_path / name)
    assert done.exit_code == 2 and message in done.stderr and "fix:" in done.stderr
    assert command(tmp_path / "none", tmp_path / "none").exit_code == 2


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    pip, npm = lock(tmp_path / "a.lock", "a==1\n"), lock(tmp_path / "package-lock.json", NPM)
    log = Log().write(tmp_path / "log")
    for words, message in (
        ((pip, npm), "one of npm"),
        ((pip, pip, "--old-log", log), "--old-log without --log"),
        ((pip, pip, "--sarif"), "--sarif is for policies"),
    ):
        done = command(*words)
        assert done.exit_code == 2 and message in done.stderr
    done = CliRunner().invoke(app, ["diff", str(pip), str(pip), "--log", str(log)])
    assert done.exit_code == 2 and "add --dependencies" in done.stderr
    for locked in (pip, npm):
        done = CliRunner().invoke(app, ["diff", str(locked), str(locked)])
        assert done.exit_code == 2 and "is a lock file" in done.stderr


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=' \n\\#"{}[]:,=@;-eraév1.0()', max_size=60) | st.text(max_size=40))
def test_no_text_ends_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.lock"
    for content in (text, f'{{"lockfileVersion": 3, "packages": {{{text}}}}}'):
        path.write_text(content, "utf-8", "surrogatepass")
        try:
            read_lock(path)
        except (CouldNotRun, PolicyError):
            continue


# ---- comparing ----


def test_new_newer_older_replaced_and_gone(tmp_path: Path) -> None:
    old = (
        "a==1.9\nb==2.0\nc==1 --hash=sha256:x\nd==1 --hash=sha256:x\ne==1\nf==1\n"
        "g @ git+https://x/a\n"
    )
    new = (
        "a==1.10\nb==2.0rc1\nc==1 --hash=sha256:y\nd==1 --hash=sha256:x --hash=sha256:y\n"
        "f==1\nNew_One==3\ng @ git+https://x/b\n"
    )
    assert changed(tmp_path, old, new) == {
        "New_One": "new",
        "c": "replaced",
        "a": "newer",
        "g": "changed",
        "b": "older",
    }
    done = command(tmp_path / "old.txt", tmp_path / "new.txt", "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1 and found["gone"] == ["e"] and found["same"] == 2


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("1.9", "1.10"),
        ("1.0", "1!0.1"),
        ("1.0a1", "1.0"),
        ("2.0.dev3", "2.0a1"),
        ("1.0", "1.0.post1"),
        ("1.0-beta.2", "1.0"),
        ("1.0rc1", "1.0rc2"),
        ("2023.11", "2024.2"),
        ("9", "10.0"),
    ],
)
def test_versions_are_ordered(tmp_path: Path, lower: str, higher: str) -> None:
    assert changed(tmp_path, f"a=={higher}\n", f"a=={lower}\n") == {"a": "older"}
    assert changed(tmp_path, f"a=={lower}\n", f"a=={higher}\n") == {"a": "newer"}


def test_a_newer_package_alone_is_not_a_finding(tmp_path: Path) -> None:
    old, new = lock(tmp_path / "o.txt", "a==1\n"), lock(tmp_path / "n.txt", "a==2\n")
    done = command(old, new)
    assert done.exit_code == 0
    assert done.stdout == "newer    a 1 to 2\n0 new, 1 changed, 0 gone, 0 as they were\n"
    done = command(old, old)
    assert done.exit_code == 0 and done.stdout == "0 new, 0 changed, 0 gone, 1 as they were\n"


def test_what_they_may_do_by_the_policy(tmp_path: Path) -> None:
    policy = lock(tmp_path / "p.yaml", POLICY)
    old = lock(tmp_path / "o.txt", "stripe==1\nurllib3==1\n")
    new = lock(
        tmp_path / "n.txt",
        "stripe==2\nurllib3==2\n    # via requests\nrequests==1\n    # via stripe\ntintbox==1\n",
    )
    found = json.loads(command(old, new, "-p", policy, "--json").stdout)
    assert [may["entry"] for may in found["every_package"]] == ["host: status.example"]
    assert found["modes"] == {
        "read_write_tmp": "alert",
        "native_code": "alert",
        "runtime_api": "alert",
    }
    may = {
        one["name"]: [(may["source"], may["through"]) for may in one["may"]]
        for one in found["packages"]
    }
    assert may == {
        "requests": [("p.yaml:6", "stripe")],
        "tintbox": [],
        "stripe": [("p.yaml:6", "")],
        "urllib3": [("p.yaml:6", "stripe")],
    }
    text = command(old, new, "-p", policy).stdout
    assert "every package may, by p.yaml: host: status.example" in text
    assert "host: api.stripe.com as stripe requires it" in text and "nothing more" in text


def test_in_node_an_entry_for_unknown_is_for_every_package(tmp_path: Path) -> None:
    policy = lock(tmp_path / "p.yaml", POLICY)
    path = lock(tmp_path / "package-lock.json", NPM)
    found = json.loads(command(path, path, "-p", policy, "--json").stdout)
    assert [may["source"] for may in found["every_package"]] == ["p.yaml:7", "p.yaml:8"]


def done_in_tests(tmp_path: Path) -> tuple[Path, Path]:
    """The logs of two test runs."""
    old = Log().host("api.stripe.com", "/var/task/stripe/api.py:3 charge", *stack(""))
    new = Log().host("api.stripe.com", "/var/task/stripe/api.py:3 charge", *stack(""))
    for _ in range(3):
        new.host("evil.example", *stack("tintkit"))
    new.host("status.example", "/var/task/stripe/api.py:9 report", *stack(""))
    return old.write(tmp_path / "old.log"), new.write(tmp_path / "new.log")


def test_what_they_did_in_the_tests(tmp_path: Path) -> None:
    policy = lock(tmp_path / "p.yaml", POLICY)
    locks = (
        lock(tmp_path / "o.txt", "stripe==1\n"),
        lock(tmp_path / "n.txt", "stripe==2\ntintkit==1\n"),
    )
    old, new = done_in_tests(tmp_path)
    done = command(*locks, "-p", policy, "--log", new, "--old-log", old, "--json")
    found = {one["name"]: one["did"] for one in json.loads(done.stdout)["packages"]}
    assert done.exit_code == 1
    assert [
        (did["what"], did["count"], did["mode"], did["rule"], did["new"])
        for did in (*found["tintkit"], *found["stripe"])
    ] == [
        ("reach evil.example:443", 3, "block", "p.yaml:4", True),
        ("reach status.example:443", 1, "allow", "p.yaml:8", True),
        ("reach api.stripe.com:443", 1, "allow", "p.yaml:6", False),
    ]
    text = command(*locks, "-p", policy, "--log", new, "--old-log", old).stdout
    assert "did  + reach evil.example:443 ×3: blocked, no rule allows it" in text
    assert "did    reach api.stripe.com:443: allowed" in text
    assert text.endswith("3 acts, 1 blocked, 2 not seen before\n")
    # Without the policy, the report shows what the engine did. Without the old log, nothing counts
    # as new.
    text = command(*locks, "--log", new).stdout
    assert "did    reach evil.example:443 ×3: reported" in text and "seen before" not in text


def test_a_newer_package_that_does_something_new_is_a_finding(tmp_path: Path) -> None:
    locks = lock(tmp_path / "o.txt", "stripe==1\n"), lock(tmp_path / "n.txt", "stripe==2\n")
    old, new = done_in_tests(tmp_path)
    assert command(*locks, "--log", old, "--old-log", old).exit_code == 0
    assert command(*locks, "--log", new, "--old-log", old).exit_code == 1
    assert command(*locks, "--log", old).exit_code == 0
    policy = lock(tmp_path / "p.yaml", POLICY.replace("api.stripe.com, only_for: [stripe]", "x.y"))
    assert command(*locks, "--log", old, "-p", policy).exit_code == 1


def test_what_is_allowed_for_others_is_said(tmp_path: Path) -> None:
    policy = lock(tmp_path / "p.yaml", POLICY)
    locks = lock(tmp_path / "o.txt", "a==1\n"), lock(tmp_path / "n.txt", "a==1\nredis==1\n")
    log = Log().host("api.stripe.com", "/var/task/redis/client.py:4 connect", *stack(""))
    text = command(*locks, "-p", policy, "--log", log.write(tmp_path / "log")).stdout
    assert "blocked, p.yaml:6: allowed for stripe; asked by redis" in text


def test_scoped_packages_of_npm_are_known_by_their_frames(tmp_path: Path) -> None:
    new = json.loads(json.dumps(NPM))
    new["packages"]["node_modules/@scope/lib"]["version"] = "2.0.1"
    locks = lock(tmp_path / "o.json", NPM), lock(tmp_path / "n.json", new)
    log = Log()
    frame = "/var/task/node_modules/@scope/lib/node_modules/axios/x.js:1 f"
    log.host("evil.example", "/var/task/node_modules/@scope/lib/x.js:1 send")
    log.host("other.example", frame)
    done = command(*locks, "--json", "--log", log.write(tmp_path / "log"))
    (package,) = json.loads(done.stdout)["packages"]
    assert [did["what"] for did in package["did"]] == ["reach evil.example:443"]


def test_it_fits_one_screen(tmp_path: Path) -> None:
    policy = lock(tmp_path / "p.yaml", POLICY)
    names = [f"package-with-a-long-name-{number}" for number in range(40)]
    old = lock(tmp_path / "o.txt", "".join(f"{name}==1\n" for name in names[:30]))
    new = lock(tmp_path / "n.txt", "".join(f"{name}==2\n" for name in names[5:]))
    log = Log()
    for number in range(8):
        log.host(f"{'long' * 12}-{number}.example", f"/var/task/{names[39]}/x.py:1 f", *stack(""))
    done = command(old, new, "-p", policy, "--log", log.write(tmp_path / "log"))
    lines = done.stdout.splitlines()
    assert done.exit_code == 1 and len(lines) <= 24 and max(map(len, lines)) <= 80
    assert any("more: --json has all" in line for line in lines)


def test_names_of_a_lock_or_a_log_do_nothing_to_the_terminal(tmp_path: Path) -> None:
    evil = {
        "lockfileVersion": 3,
        "packages": {"node_modules/\x1b[31mx\u202e": {"version": "1\x07"}},
    }
    old, new = lock(tmp_path / "o.json", NPM), lock(tmp_path / "n.json", evil)
    text = command(old, new).stdout
    assert "\\x1b[31mx\\u202e" in text and "\x1b" not in text and "\x07" not in text
