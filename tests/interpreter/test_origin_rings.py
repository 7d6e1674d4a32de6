"""The caller in events of the libc ring, of children, and of allowed acts."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.interpreter.origins import installed, origin, run, write
from tests.support import policy_file, rules, run_guarded


def test_a_childs_command_line(tmp_path: Path) -> None:
    code = (
        "import subprocess; subprocess.run(['/bin/cat', '/tmp/origin-child', 'hunter2-secret'],"
        " stderr=-3)"
    )
    policy = {**rules("block", "block", "allow", "block")}
    done = run(code, mode=policy, env={"MY_TOKEN": "hunter2-secret"})
    (event,) = done.violations
    assert event["ring"] == "libc"
    assert event["origin"]["command"] == "/bin/cat /tmp/origin-child ***"
    assert event["origin"]["file"].endswith("/cat")
    assert (event["origin"]["distribution"], event["origin"]["version"]) == (None, None)


def test_the_function_itself_has_no_command(site: Path) -> None:
    write(site, "pkg.py")
    assert "command" not in origin("import pkg; pkg.act()", site)


def test_exceptions_of_native_code_go_by_the_folder(site: Path) -> None:
    """Metadata is only a claim: a name in it gets no exception."""
    write(site, "evil/__init__.py", "import ctypes\n")
    installed(site, "numpy", "1.0", "evil/__init__.py")
    text = "version: 1\npolicy:\n  native_code: {mode: block, allow: [numpy]}\n"
    done = run(
        "try: import evil\nexcept ImportError: pass\nexcept OSError: pass",
        site,
        mode=policy_file(text),
    )
    events = [e for e in done.violations if e["policy"] == "native_code"]
    assert events
    assert events[0]["origin"]["distribution"] == "numpy"
    assert "allow: [evil]" in events[0]["message"]


ALLOWED = """\
version: 1
policy:
  outbound_connectivity:
    {mode: block, allow: [{host: allowed.example}, {cidr: 127.66.66.66, ports: [9]}]}
  read_write_tmp: {mode: block, allow: [TMP/**]}
  create_child_process: {mode: block, allow: [/usr/bin/true]}
events: {allowed: first}
"""
USES = """\
import socket, subprocess
def used():
    for act in (
        lambda: socket.getaddrinfo("allowed.example", 443),
        lambda: socket.create_connection(("127.66.66.66", 9), 1),
        lambda: open("TMP/x", "w"),
        lambda: subprocess.run(["/usr/bin/true"]),
    ):
        try: act()
        except OSError: pass
"""


def test_what_is_allowed_names_who_asked(site: Path, tmp_path: Path, tmp_name: Path) -> None:
    tmp_name.mkdir()
    write(site, "user.py", USES.replace("TMP", str(tmp_name)))
    installed(site, "user-of-things", "1.2.3", "user.py")
    policy = tmp_path / "used.yaml"
    policy.write_text(ALLOWED.replace("TMP", str(tmp_name)))
    done = run("import user\nuser.used()", site, mode=policy)
    found = {event["policy"]: event for event in done.events if event["event"] == "allowed"}
    uses = [
        (event["rule"], event["details"].get("host"))
        for event in done.events
        if event["event"] == "allowed"
    ]
    assert len(uses) == len(set(uses)) == 4, uses
    for rule in ("outbound_connectivity", "read_write_tmp"):
        origin = found[rule]["origin"]
        assert (origin["distribution"], origin["version"]) == ("user-of-things", "1.2.3")
        assert origin["function"].endswith("<lambda>") and found[rule]["ring"] == "interpreter"
    assert found["create_child_process"]["ring"] == "libc"


ATTACHES = """
import sqlite3, sys
connection = sqlite3.connect(":memory:")

def opens():
    open(sys.argv[1], "w").close()

def attaches():
    connection.execute("ATTACH ? AS other", (sys.argv[2],))

opens()
try:
    attaches()
except sqlite3.OperationalError:
    print("refused")
"""


def test_a_library_s_act_is_not_whose_act_was_before(tmp_path: Path, tmp_name: Path) -> None:
    """SQLite's next open must not be attributed to the caller of an earlier, allowed open in
    Python."""
    (tmp_path / "app.py").write_text(ATTACHES)
    allowed, other = f"{tmp_name}-allowed", f"{tmp_name}-other"
    done = run_guarded(
        [sys.executable, str(tmp_path / "app.py"), allowed, other],
        policy=rules(tmp={"mode": "block", "allow": [allowed]}),
    )
    Path(allowed).unlink(missing_ok=True)
    assert done.stdout == "refused\n", done
    origins = [event["origin"] for event in done.violations]
    assert {(origin["function"], tuple(origin["stack"])) for origin in origins} == {(None, ())}
    assert all("sqlite" in origin["file"] for origin in origins), origins


DATABASES = """
import pathlib, sqlite3, sys

class Odd:
    def __fspath__(self):
        raise ValueError("odd")

def keeps(path):
    try:
        sqlite3.connect(path)
    except (PermissionError, sqlite3.OperationalError) as error:
        print(type(error).__name__)

keeps(pathlib.Path(sys.argv[1]))
try:
    sqlite3.connect(Odd())
except ValueError as error:
    print(error)
"""


def test_a_database_by_a_path_object_has_its_caller(tmp_path: Path, tmp_name: Path) -> None:
    (tmp_path / "app.py").write_text(DATABASES)
    done = run_guarded([sys.executable, tmp_path / "app.py", tmp_name], policy=rules(tmp="block"))
    assert done.stdout == "PolicyViolation\nodd\n", done
    (event,) = done.violations
    assert event["details"]["path"] == str(tmp_name)
    assert (event["origin"]["function"], event["ring"]) == ("keeps", "interpreter"), event
