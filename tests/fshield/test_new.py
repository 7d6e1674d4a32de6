"""``fshield new``: its repository passes its own checks, and a widening change does not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from fshield.cli.app import app


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "policies of ours"
    result = CliRunner().invoke(app, ["new", str(folder)])
    assert result.exit_code == 0, result.output
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "Policies")
    return folder


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def change(folder: Path, old: str, new: str, file: str = "policies/orders.yaml") -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_new_repository_passes_its_own_ci(repository: Path) -> None:
    result = make(repository, "ci", "OLD=main")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (repository / "dist" / "policies.zip").is_file()


def test_a_change_that_widens_fails_with_words(repository: Path) -> None:
    change(
        repository,
        "      - host: api.stripe.com\n",
        '      - host: api.stripe.com\n      - host: "*.example.net"\n',
    )
    result = make(repository, "ci", "OLD=main")
    assert result.returncode != 0
    printed = result.stdout + result.stderr
    assert "*.example.net" in printed and "orders" in printed
    assert not (repository / "dist" / "policies.zip").exists()


def test_a_change_that_narrows_passes(repository: Path) -> None:
    change(repository, "native_code: alert", "native_code: block", "policies/base.yaml")
    result = make(repository, "ci", "OLD=main")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_change_against_the_bases_tests_is_refused(repository: Path) -> None:
    change(
        repository,
        "      - host: api.stripe.com\n",
        "      - host: evil.example.org\n      - host: api.stripe.com\n",
    )
    result = make(repository, "test")
    assert result.returncode != 0 and "connect evil.example.org  under orders" in result.stdout


def test_nothing_is_overwritten(repository: Path) -> None:
    before = {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}
    result = CliRunner().invoke(app, ["new", str(repository)])
    assert result.exit_code == 2 and "is there already" in result.output
    assert before == {path: path.read_bytes() for path in repository.rglob("*") if path.is_file()}


def test_what_ci_runs_is_what_the_makefile_has(repository: Path) -> None:
    workflow = yaml.safe_load((repository / ".github" / "workflows" / "policies.yml").read_text())
    runs = [step["run"] for step in workflow["jobs"]["policies"]["steps"] if "run" in step]
    targets = [run.split()[1] for run in runs if run.startswith("make ")]
    assert targets == ["install", "check", "test", "diff", "package"]
    hooks = yaml.safe_load((repository / ".pre-commit-config.yaml").read_text())["repos"][0][
        "hooks"
    ]
    assert [hook["entry"] for hook in hooks] == ["fshield check", "fshield test policies"]


def test_actions_are_pinned_by_commit(repository: Path) -> None:
    text = (repository / ".github" / "workflows" / "policies.yml").read_text()
    used = re.findall(r"uses: (\S+)(.*)", text)
    assert len(used) == 3
    for action, comment in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment)


def test_ci_installs_the_wheel_that_was_named_and_no_other(tmp_path: Path) -> None:
    wheel = tmp_path / "fshield-0.1.0-py3-none-manylinux_2_17_x86_64.whl"
    wheel.write_bytes(b"of a release")
    folder = tmp_path / "policies"
    result = CliRunner().invoke(app, ["new", str(folder), "--wheel", str(wheel)])
    assert result.exit_code == 0, result.output
    check = ["sha256sum", "--check", "SHA256SUMS"]
    wheels = folder / "wheels"
    assert subprocess.run(check, cwd=wheels, capture_output=True, check=False).returncode == 0
    (wheels / wheel.name).write_bytes(b"of somebody else")
    assert make(folder, "install").returncode != 0
    # Nothing asks an index for a package name that anybody could register.
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".whl":
            text = path.read_text()
            assert not re.search(r"pip[^\n]* install (?!wheels/)|fshield *[=~<>]=", text), path


def test_without_a_wheel_ci_does_not_install(repository: Path) -> None:
    assert not (repository / "wheels").exists()
    assert make(repository, "install").returncode != 0
