"""fshield invoke of a Node.js function, under Lambda's own runtime client."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests import forked
from tests.support import CACHE, LAYER, ROOT, clean_environment, nodes

CLIENT = CACHE / "runtimes" / "node-client" / "4.0.2"
ASKS = """
import https from 'node:https';
import fs from 'node:fs';
const get = (url) => new Promise((done) => {
    https.get(url, () => done('answered')).on('error', (error) => done(error.code));
});
export const handler = async (event, context) => {
    console.log('hello');
    let made = 'made';
    try { fs.readdirSync('/tmp'); } catch (error) { made = error.code; }
    return {event, name: context.functionName, made, answer: await get('https://api.example/')};
};
"""
COMMON = "exports.handler = async (event) => { throw new TypeError(`no ${event.n}`); };\n"


@pytest.fixture
def client() -> Path:
    """The runtime client's folder."""
    if not (CLIENT / "index.mjs").exists():
        if "runtimes" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
            pytest.fail("tests/runtimes/fetch.sh has not been run")
        pytest.skip("run tests/runtimes/fetch.sh")
    return CLIENT


@pytest.fixture
def event(tmp_path: Path) -> Path:
    path = tmp_path / "event.json"
    path.write_text('{"n": 1}')
    return path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / "function" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return folder / "function"


def fshield(*words: str | Path, **more: str) -> Any:
    environment = clean_environment({"FSHIELD_LAYER": str(LAYER), **more})
    return forked.fshield(*words, env=environment, cwd=ROOT, timeout=120)


def invoke(folder: Path, handler: str, event: Path, *words: str | Path, **more: str) -> Any:
    return fshield("invoke", folder, "--handler", handler, "--event", event, *words, **more)


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("node", nodes(), ids=str)
def test_guarded_and_bare(tmp_path: Path, event: Path, node: Path) -> None:
    folder = write(tmp_path, "app.mjs", ASKS)
    common: tuple[str | Path, ...] = ("--json", "--node", node, "-n", "2")
    bare = json.loads(invoke(folder, "app.handler", event, *common, "--unguarded").stdout)
    done = invoke(folder, "app.handler", event, *common, "-p", "default")
    guarded = json.loads(done.stdout)
    assert [each["events"] for each in bare["invocations"]] == [[], []]
    assert bare["invocations"][1]["response"]["made"] == "made"
    for each in guarded["invocations"]:
        wanted = {"event": {"n": 1}, "name": "function", "made": "EACCES", "answer": "EAI_FAIL"}
        assert each["response"] == wanted and "hello" in each["stdout"], done.stderr
    armed, *acts = guarded["invocations"][0]["events"]
    assert armed["runtime"] == "node"
    assert {act["policy"] for act in acts} == {"outbound_connectivity", "read_write_tmp"}
    assert {act["origin"]["file"] for act in acts} == {str(folder / "app.mjs")}
    # `fix` writes an entry for a blocked lookup.
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    (tmp_path / "events").write_text(done.stdout)
    found = fshield("fix", "-p", policy, "--own", "app", "--json", tmp_path / "events")
    assert "host: api.example" in {one["entry"] for one in json.loads(found.stdout)["entries"]}


@pytest.mark.usefixtures("client")
def test_a_handler_that_fails_in_a_folder(tmp_path: Path, event: Path) -> None:
    folder = write(tmp_path, "src/orders/app.js", COMMON)
    done = invoke(folder, "src/orders/app.handler", event, "--json")
    (invocation,) = json.loads(done.stdout)["invocations"]
    assert done.returncode == 1
    assert (invocation["error"]["errorType"], invocation["error"]["errorMessage"]) == (
        "TypeError",
        "no 1",
    )


def test_the_functions_own_client_is_no_package(client: Path, tmp_path: Path, event: Path) -> None:
    """If it ran where npm installs it, its frames would count as those of a package."""
    folder = write(tmp_path, "app.mjs", ASKS)
    shutil.copytree(client, folder / "node_modules" / "aws-lambda-ric")
    cache = tmp_path / "cache"
    (cache / "emulator").mkdir(parents=True)
    for file in (CACHE / "emulator").iterdir():
        (cache / "emulator" / file.name).symlink_to(file)
    for _ in range(2):
        done = invoke(folder, "app.handler", event, "--json", FSHIELD_CACHE=str(cache))
        (invocation,) = json.loads(done.stdout)["invocations"]
        assert not invocation["error"], done.stdout
        stacks = [one["origin"]["stack"] for one in invocation["events"][1:]]
        assert stacks and not any("lambda-ric" in frame for stack in stacks for frame in stack)


def test_without_a_client_the_fix_is_named(tmp_path: Path, event: Path) -> None:
    folder = write(tmp_path, "app.cjs", COMMON)
    cache = tmp_path / "cache"
    done = invoke(folder, "app.handler", event, FSHIELD_CACHE=str(cache))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 2, done.stderr
    assert f"npm install --prefix {cache}/node aws-lambda-ric@4" in done.stderr
    assert "--image public.ecr.aws/lambda/nodejs:22" in done.stderr


def test_each_language_has_its_interpreter(tmp_path: Path, event: Path) -> None:
    folder = write(tmp_path, "app.js", COMMON)
    write(tmp_path, "main.py", "def handler(event, context): pass\n")
    for handler, words, message in (
        ("app.handler", ("--python", "python3"), "--python: the handler is not in that language"),
        ("main.handler", ("--node", "node"), "--node: the handler is not in that language"),
        ("app.handler", ("--node", "nonesuch"), "nonesuch: no such Node.js"),
        ("app.handler", ("--node", "true"), "true is not Node.js"),
        ("app.handler", ("--image", "x", "--node", "node"), "--node is for runs without"),
        ("app.handler", ("--sandbox",), "'app.js': public.ecr.aws/lambda/python:3.13 has no Node"),
    ):
        done = invoke(folder, handler, event, *words)
        assert done.returncode == 2 and message in done.stderr, (words, done.stderr)
