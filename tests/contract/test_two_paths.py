"""An act on two paths makes one event. The event shows both paths if a rule covers both."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fshield.local.emulator import Function
from tests.contract.acting import python
from tests.contract.helpers import build
from tests.contract.ocsf import problems
from tests.support import LAYER, Guarded, policy_file, rules, run_guarded

REPORT, REFUSE = rules(tmp="alert"), rules(tmp="block")
LIBC = ("rename", "renameat", "renameat2", "syscall", "link", "linkat", "linkat_follow")
PYTHON = {
    "os.replace({0!r}, {1!r})": "rename",
    "os.rename(os.fsencode({0!r}), {1!r})": "rename",
    "pathlib.Path({0!r}).rename({1!r})": "rename",
    "shutil.move({0!r}, {1!r})": "rename",
    "os.link({0!r}, {1!r})": "link",
    "os.rename({0!r}[1:], {1!r}[1:], src_dir_fd=root, dst_dir_fd=root)": "rename",
    "os.link({0!r}, {1!r}[1:], dst_dir_fd=root, follow_symlinks=False)": "link",
}


@pytest.fixture
def below_tmp() -> Iterator[Path]:
    """A folder under /tmp that holds a file `a`."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="two-paths-") as folder:
        (Path(folder) / "a").write_text("a")
        yield Path(folder)


def in_python(act: str, policy: Any, *paths: Path | str, **more: Any) -> Guarded:
    code = (
        "import os, pathlib, shutil\n"
        "root = os.open('/', os.O_PATH)\n"
        "try:\n"
        f"    {act.format(*map(str, paths))}\n"
        "except OSError as error:\n"
        "    print(error.errno)"
    )
    return python(code, policy=policy, **more)


def seen(done: Guarded, operation: str = "rename") -> list[dict[str, Any]]:
    """The details of the events of one operation."""
    found = [event["details"] for event in done.violations]
    return [details for details in found if details["operation"] == operation]


def both(path: Path, to: Path, operation: str = "rename") -> dict[str, str]:
    return {"path": str(path), "operation": operation, "to": str(to)}


@pytest.mark.parametrize("act", LIBC)
@pytest.mark.parametrize("policy", [REPORT, REFUSE], ids=["alert", "block"])
def test_every_function_of_libc_shows_both(act: str, policy: Any, below_tmp: Path) -> None:
    one, two = below_tmp / "a", below_tmp / "b"
    done = run_guarded([build("moves.c", "moves"), act, one, two], policy=policy)
    assert done.stdout == ("0 0\n" if policy is REPORT else "-1 13\n")
    assert two.exists() == (policy is REPORT)
    operation = "link" if "link" in act else "rename"
    assert seen(done, operation) == [both(one, two, operation)]
    (event,) = (event for event in done.violations if event["details"]["operation"] == operation)
    assert f" tried to {operation} {one} to {two}: " in event["message"]
    assert event["entry"] == f"path: {one}"


@pytest.mark.parametrize("act", PYTHON)
@pytest.mark.parametrize("policy", [REPORT, REFUSE], ids=["alert", "block"])
def test_every_function_of_python_shows_both(act: str, policy: Any, below_tmp: Path) -> None:
    one, two = below_tmp / "a", below_tmp / "b"
    done = in_python(act, policy, one, two)
    assert done.stdout == ("" if policy is REPORT else "13\n"), done.stderr
    assert two.exists() == (policy is REPORT)
    # If it may not rename, shutil.move copies.
    (details, *_) = seen(done, PYTHON[act])
    assert details == both(one, two, PYTHON[act])


def test_a_way_by_a_link_shows_both_in_both_rings(below_tmp: Path, tmp_path: Path) -> None:
    """None of the strings begins with /tmp, or only one does."""
    away = tmp_path / "away"
    away.symlink_to(below_tmp)
    for one, two in (
        (below_tmp / "a", away / "b"),
        (away / "b", below_tmp / "c"),
        (away / "c", away / "d"),
    ):
        done = in_python("os.replace({0!r}, {1!r})", REPORT, one, two)
        expected = [both(below_tmp / one.name, below_tmp / two.name)]
        assert seen(done) == expected, (one, two, done.violations)
        two.rename(one)
        native = run_guarded([build("moves.c", "moves"), "rename", one, two], policy=REPORT)
        assert seen(native) == expected


def test_a_link_that_is_followed_makes_one_event(below_tmp: Path) -> None:
    """The rule is about the link, what it leads to, and the new name."""
    (below_tmp / "link").symlink_to("a")
    for new in (below_tmp / "b", Path.home() / f"{below_tmp.name}-b"):
        moves = build("moves.c", "moves")
        done = run_guarded([moves, "linkat_follow", below_tmp / "link", new], policy=REPORT)
        assert done.stdout == "0 0\n"
        new.unlink()
        (details,) = seen(done, "link")
        assert details["path"] == str(below_tmp / "a"), details
        assert [event["policy"] for event in done.violations] == ["read_write_tmp"]


def test_the_message_says_what_was_moved_to_a_refused_name(below_tmp: Path) -> None:
    old = Path(tempfile.mkdtemp(dir=Path.home())) / "old"
    old.write_text("old")
    new = below_tmp / "new"
    acts = [*(("libc", act) for act in LIBC), *(("interpreter", act) for act in PYTHON)]
    try:
        for ring, act in acts:
            if "shutil" in act:
                continue
            operation = PYTHON.get(act) or ("link" if "link" in act else "rename")
            if ring == "libc":
                done = run_guarded([build("moves.c", "moves"), act, old, new], policy=REFUSE)
            else:
                done = in_python(act, REFUSE, old, new)
            (event,) = (event for event in done.violations if event["details"]["path"] == str(new))
            assert event["ring"] == ring
            shown = str(old).removeprefix("/")  # as the call has it, which may be relative
            assert f"{shown} to {new}: blocked, " in event["message"], act
            assert f" tried to {operation} " in event["message"]
            assert "to" not in event["details"]
        ocsf = {**REFUSE, "events": {"format": "ocsf"}}
        done = in_python("os.rename({0!r}, {1!r})", ocsf, old, new)
        assert f" tried to rename {old} to {new}: blocked, " in str(done.events)
    finally:
        old.unlink()
        old.parent.rmdir()


def test_the_message_about_a_symbolic_link_names_the_link(below_tmp: Path) -> None:
    new = below_tmp / "new"
    act = f"tried to make the link {new}: blocked, "
    (event,) = in_python("os.symlink('target', {0!r})", REFUSE, new).violations
    assert (event["ring"], event["details"]["operation"]) == ("interpreter", "link")
    assert act in event["message"]
    (event,) = run_guarded(["/bin/ln", "-s", "target", new], policy=REFUSE).violations
    assert (event["ring"], event["details"]["operation"]) == ("libc", "link")
    assert act in event["message"]


def test_the_message_about_a_folder_says_create(below_tmp: Path) -> None:
    new = below_tmp / "new"
    act = f"tried to create {new}: blocked, "
    (event,) = in_python("os.mkdir({0!r})", REFUSE, new).violations
    assert event["ring"] == "interpreter" and act in event["message"]
    (event,) = run_guarded(["/bin/mkdir", new], policy=REFUSE).violations
    assert event["ring"] == "libc" and act in event["message"]


def test_names_are_cut_and_not_the_reason(below_tmp: Path) -> None:
    one, two = below_tmp / ("ü" * 119 + "-1"), below_tmp / ("\n" * 238 + "-2")
    one.write_text("")
    code = f"import os\ntry: os.rename({str(one)!r}, {str(two)!r})\nexcept OSError as e: print(e)"
    for form in ("json", "ocsf"):
        policy = {**REFUSE, "events": {"format": form}}
        done = python(code, policy=policy)
        native = run_guarded([build("moves.c", "moves"), "rename", one, two], policy=policy)
        texts = [event["message"] for run in (done, native) for event in run.events]
        texts = [text for text in texts if " tried to rename " in text]
        assert len(texts) == 2
        for text in [*texts, done.stdout.strip()]:
            assert f" tried to rename {below_tmp}/ü" in text
            assert f"-1 to {below_tmp}/" in text
            assert text.count("…") == 2
            assert "-2: blocked, no rule allows it" in text


def test_a_cut_name_shows_no_half_of_a_secret(below_tmp: Path) -> None:
    secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    code = (
        f"import os\nos.chdir({str(below_tmp)!r})\n"
        "for at in range(1, 200):\n"
        f"    name = 'x' * at + {secret!r} + 'y' * (200 - at)\n"
        "    open(name, 'w').close()\n"
        "    os.rename(name, name[1:])\n"
    )
    done = python(code, policy=REPORT, env={"PAYMENT_TOKEN": secret})
    assert done.returncode == 0, done.stderr
    texts = [event["message"] for event in done.violations]
    cut = [text for text in texts if "…" in text]
    assert len(cut) == 199
    for text in cut:
        assert not set(text) & set(secret[1:]), text
        assert text.endswith(": reported, no rule allows it"), text


def test_names_with_secrets_of_any_form_leave_the_reason(below_tmp: Path) -> None:
    """The first begins like what stands for a secret; the second is longer than a sentence."""
    for secret in ("*" + "S" * 120, "/".join(["S" * 200] * 6)):
        one = below_tmp / ("x" * 100) / ("\x01" * 100) / secret / "y"
        one.parent.mkdir(parents=True)
        one.write_text("")
        done = python(
            f"import os\nos.chdir({str(below_tmp)!r})\n"
            f"os.rename({str(one.relative_to(below_tmp))!r}, 'b')\nos.rename('b', 'S')\n"
            f"os.rename('S', {str(one.relative_to(below_tmp))!r})",
            policy=REPORT,
            env={"PAYMENT_TOKEN": secret},
        )
        assert done.returncode == 0, done.stderr
        texts = [event["message"] for event in done.violations]
        assert len(texts) == 3
        for text in texts:
            assert "SS" not in text
            assert text.endswith(": reported, no rule allows it"), text


def test_a_kept_name_that_is_cut_shows_no_half_of_a_secret(below_tmp: Path, tmp_path: Path) -> None:
    """The line that counts repeats has the first 255 bytes of what was renamed."""
    secret = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    old = "/" + "x" * 239 + "/" + secret + "y"
    (tmp_path / "app.py").write_text(
        "import os\n"
        "def handler(event, context):\n"
        "    for _ in range(2):\n"
        f"        try: os.rename({old!r}, {str(below_tmp / 'b')!r})\n"
        "        except OSError: pass\n"
    )
    policy = policy_file(REFUSE)
    env = {"FUNCTION_SHIELD_POLICY": policy, "PAYMENT_TOKEN": secret}
    with Function(tmp_path, "app.handler", layer=LAYER, env=env) as function:
        done = function.invoke({})
    texts = [event["message"] for event in done.events if event["event"] == "violation"]
    assert len(texts) == 2, done
    for text in texts:
        assert not set(text) & set(secret[1:]), text


def test_a_path_that_no_rule_is_about_is_not_shown(below_tmp: Path) -> None:
    elsewhere = Path(tempfile.mkdtemp(dir=Path.home()))
    try:
        for one, two, path in (
            (below_tmp / "a", elsewhere / "b", below_tmp / "a"),
            (elsewhere / "b", below_tmp / "c", below_tmp / "c"),
        ):
            shown = [{"path": str(path), "operation": "rename"}]
            for policy in (REPORT, REFUSE):
                done = in_python("os.rename({0!r}, {1!r})", policy, one, two)
                assert seen(done) == shown
                native = run_guarded([build("moves.c", "moves"), "rename", one, two], policy=policy)
                assert seen(native) == shown
            (elsewhere / "b").write_text("b")
    finally:
        for path in elsewhere.iterdir():
            path.unlink()
        elsewhere.rmdir()


@pytest.mark.parametrize("mode", ["alert", "block"])
def test_a_path_that_an_entry_allows_is_not_shown(mode: str, below_tmp: Path) -> None:
    one, two = below_tmp / "a", below_tmp / "b"
    for allowed, shown in ((one, two), (two, one)):
        policy = rules(tmp={"mode": mode, "allow": [str(allowed)]})
        expected = [{"path": str(shown), "operation": "rename"}]
        assert seen(in_python("os.rename({0!r}, {1!r})", policy, one, two)) == expected
        if mode == "alert":
            two.rename(one)
        native = run_guarded([build("moves.c", "moves"), "rename", one, two], policy=policy)
        assert seen(native) == expected
        if mode == "alert":
            two.rename(one)


def test_another_second_path_is_another_kind(below_tmp: Path) -> None:
    code = (
        "import os\n"
        f"os.chdir({str(below_tmp)!r})\n"
        "for name in 'bcbcb':\n"
        f"    os.rename({str(below_tmp)!r} + '/a', {str(below_tmp)!r} + '/' + name)\n"
        f"    os.rename({str(below_tmp)!r} + '/' + name, {str(below_tmp)!r} + '/a')\n"
    )
    shown = [Path(details["to"]).name for details in seen(python(code, policy=REPORT))]
    assert shown == ["b", "a", "c", "a"]


def test_long_paths_are_shortened_and_the_line_is_whole(below_tmp: Path) -> None:
    deep = below_tmp.joinpath(*["d" * 200] * 6)
    deep.mkdir(parents=True)
    one, two = deep / ("é" * 100), deep / ("ü" * 100)
    one.write_text("")
    for form in ("json", "ocsf"):
        policy = {**REPORT, "events": {"format": form}}
        for done in (
            in_python("os.rename({0!r}, {1!r})", policy, one, two),
            run_guarded([build("moves.c", "moves"), "rename", two, one], policy=policy),
        ):
            (event,) = (
                event for event in done.events if "é" in str(event) or "d" * 100 in str(event)
            )
            details = (event if form == "json" else event["unmapped"])["details"]
            for key in ("path", "to"):
                assert details[key].startswith(str(below_tmp))
                assert details[key].endswith("…")
                assert len(details[key].encode()) <= 512


def test_a_secret_in_the_second_path_is_masked(below_tmp: Path) -> None:
    secret = "correct-horse-battery"
    done = in_python(
        "os.rename({0!r}, {1!r})",
        REPORT,
        below_tmp / "a",
        below_tmp / secret,
        env={"PAYMENT_TOKEN": secret},
    )
    (details,) = seen(done)
    assert details["to"] == f"{below_tmp}/***"
    assert secret not in str(done.violations)


def test_ocsf_has_a_file_for_each(below_tmp: Path) -> None:
    one, two = below_tmp / "a", below_tmp / "b"
    policy = {**REPORT, "events": {"format": "ocsf"}}
    done = in_python("os.rename({0!r}, {1!r})", policy, one, two)
    (event,) = (event for event in done.events if "evidences" in event and "'to'" in str(event))
    assert event["evidences"] == [
        {"file": {"type_id": 0, "name": path.name, "path": str(path)}} for path in (one, two)
    ]
    assert problems(event, ours={"function_shield", "timestamp", "level"}) == []
    assert event["unmapped"]["details"] == both(one, two)


@pytest.mark.parametrize("mode", ["alert", "block"])
def test_an_ephemeral_tmp(mode: str, below_tmp: Path) -> None:
    """A path that the function made or may use is not shown beside one that it may not touch."""
    new = Path(f"/tmp/{below_tmp.name}.new")
    dry_run = {"FUNCTION_SHIELD_MODE": "alert"} if mode == "alert" else {}
    policy = {**rules(tmp={"mode": "ephemeral"}), "allow_mode_override": ["alert"]}
    moves = build("moves.c", "moves")
    done = run_guarded([moves, "rename", below_tmp / "a", new], policy=policy, env=dry_run)
    assert seen(done) == [{"path": str(below_tmp / "a"), "operation": "rename"}]
    assert new.exists() == (mode == "alert")
    if mode == "alert":
        new.rename(below_tmp / "a")
    done = in_python(
        "os.rename({0!r}, {1!r})", policy, below_tmp / "a", below_tmp / "b", env=dry_run
    )
    assert seen(done) == [both(below_tmp / "a", below_tmp / "b")]
    assert os.path.lexists(below_tmp / "b") == (mode == "alert")
    code = (
        f"import os\nopen('{new}', 'w').close()\nos.rename('{new}', '{new}2')\nos.remove('{new}2')"
    )
    assert python(code, policy=policy, env=dry_run).violations == []


def test_x_rays_mark_renamed_to_elsewhere_makes_an_event(below_tmp: Path) -> None:
    """Making the mark makes no event: see test_start_marks.py."""
    done = run_guarded(
        [build("moves.c", "moves"), "rename", "/tmp/.aws-xray", below_tmp / "b"], policy=REFUSE
    )
    assert seen(done) == [both(Path("/tmp/.aws-xray"), below_tmp / "b")]
