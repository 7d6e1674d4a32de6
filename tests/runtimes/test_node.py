"""Lambda's own runtime client for Node: buffered and streamed responses, Managed Instances."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.runtimes.api import Served, serve
from tests.runtimes.conftest import node_id
from tests.support import CACHE, nodes

CLIENTS = CACHE / "runtimes" / "node-client"
RULES = """
const fs = require('fs'), net = require('net'), { spawnSync } = require('child_process');
const code = (act) => { try { act(); return 'passed'; } catch (error) { return error.code; } };
const connects = () => new Promise((done) => {
    net.connect(9, '127.66.66.66').on('error', (error) => done(error.code))
        .on('connect', () => done('passed'));
});
const rules = async () => [
    code(() => fs.writeFileSync('/tmp/function-shield-node', 'x')),
    (spawnSync('/usr/bin/uname').error || { code: 'passed' }).code,
    code(() => fs.readFileSync(__filename)),
    await connects(),
];
"""
HELD = ["EACCES"] * 4


@pytest.fixture(params=["3.3.0", "4.0.2"])
def client(request: pytest.FixtureRequest) -> Path:
    """The runtime client's folder."""
    folder = CLIENTS / str(request.param)
    if not (folder / "index.mjs").exists():
        if "runtimes" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(","):
            pytest.fail("tests/runtimes/fetch.sh has not been run")
        pytest.skip("run tests/runtimes/fetch.sh")
    return folder


def run(
    node: Path, client: Path, folder: Path, source: str, events: list[Any], **more: Any
) -> Served:
    (folder / more.pop("file", "app.js")).write_text(source)
    policy = more.pop("policy", "strict")
    env = {"LAMBDA_RUNTIME_DIR": str(client), **more.pop("env", {})}
    command = [node, client / "index.mjs"]
    return serve(command, task=folder, events=events, policy=policy, env=env, **more)


BUFFERED = RULES + "exports.handler = async (event) => ({ event, rules: await rules() });\n"
MODULE = (
    "import { createRequire } from 'module'; import { fileURLToPath } from 'url';\n"
    "const require = createRequire(import.meta.url), __filename = fileURLToPath(import.meta.url);\n"
    + RULES
    + "export const handler = async (event) => ({ event, rules: await rules() });\n"
)


@pytest.mark.parametrize("policy", ["default", "strict"])
@pytest.mark.parametrize(("file", "source"), [("app.js", BUFFERED), ("app.mjs", MODULE)])
def test_buffered(
    node: Path, client: Path, tmp_path: Path, policy: str, file: str, source: str
) -> None:
    done = run(node, client, tmp_path, source, [1, 2], file=file, policy=policy)
    assert done.bodies == [{"event": 1, "rules": HELD}, {"event": 2, "rules": HELD}], done.output
    kinds = {event["policy"] for event in done.violations}
    assert kinds == {
        "read_write_tmp",
        "create_child_process",
        "read_handler",
        "outbound_connectivity",
    }, done.violations
    # Each event names its invocation, whichever thread made it.
    assert {event["requestId"][-1] for event in done.violations} <= {"0", "1"}


STREAMED = """
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
    stream.setContentType('text/plain');
    const rest = 'x'.repeat(event * 20000);
    for (let part = 0; part < 3; part++) stream.write(`${event} ${part} ${rest}\\n`);
    if (event === 7) throw new Error('half-way');
    stream.end();
    await new Promise((done) => stream.on('finish', done));
});
"""


@pytest.mark.parametrize("policy", ["default", "strict"])
@pytest.mark.parametrize("alternative", ["", "true"])
def test_streamed(node: Path, client: Path, tmp_path: Path, policy: str, alternative: str) -> None:
    """The runtime's own JavaScript posts the response, on a connection that it keeps open."""
    env = {"AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1": alternative}
    done = run(node, client, tmp_path, STREAMED, [1, 5, 7, 2], policy=policy, env=env)
    assert [body.splitlines()[0][:3] for body in done.bodies] == ["1 0", "5 0", "7 0", "2 0"], (
        done.output
    )
    assert len(done.bodies[1]) > 300000
    assert any(line.startswith("Lambda-Runtime-Function-Error-Type") for line in done.trailers)
    assert done.violations == []


def test_the_alternative_client(node: Path, client: Path, tmp_path: Path) -> None:
    env = {"AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1": "true"}
    done = run(node, client, tmp_path, BUFFERED, [1, 2, 3], env=env)
    assert [body["event"] for body in done.bodies] == [1, 2, 3], done.output
    assert {body["rules"][0] for body in done.bodies} == {"EACCES"}
    assert "runtime_api" not in {event["policy"] for event in done.violations}


ANSWERS_FOR_IT = """
const http = require('http');
const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const ask = (method, path, headers) => new Promise((done) => {
    const request = http.request({ host, port, path, method, headers }, (answer) => {
        answer.resume(); done(answer.statusCode);
    });
    request.on('error', (error) => done(error.code));
    request.end(method === 'POST' ? '"theirs"' : undefined);
});
const place = '/2018-06-01/runtime/invocation/';
const mode = { 'Lambda-Runtime-Function-Response-Mode': 'streaming' };
const streaming = { ...mode, 'Transfer-Encoding': 'chunked' };
exports.handler = async (event, context) => [
    await ask('GET', place + 'next', {}),
    await ask('POST', place + context.awsRequestId + '/response', {}),
    await ask('POST', place + context.awsRequestId + '/error', streaming),
    process.env.AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1 === 'true' ? 'EACCES'
        : await ask('POST', place + 'another/response', streaming),
];
"""


@pytest.mark.parametrize("alternative", ["", "true"])
def test_others_neither_take_nor_answer_invocations(
    node: Path, client: Path, tmp_path: Path, alternative: str
) -> None:
    env = {"AWS_LAMBDA_NODEJS_USE_ALTERNATIVE_CLIENT_1": alternative}
    done = run(node, client, tmp_path, ANSWERS_FOR_IT, [1, 2], env=env)
    assert done.bodies == [HELD, HELD], done.output
    assert {event["policy"] for event in done.violations} == {"runtime_api"}


# The work takes a while, so that one worker cannot serve all.
_WORKS = """async (event) => {
    await new Promise((done) => setTimeout(done, 50));
    return { event, thread: require('worker_threads').threadId, rules: await rules() };
};
"""
WORKERS = {"app.js": RULES + "exports.handler = " + _WORKS}
WORKERS["app.mjs"] = MODULE[: MODULE.index("export const")] + "export const handler = " + _WORKS


# Managed Instances have Node 22 and newer, and version 4 of the client: 3.3.0 starts no workers.
@pytest.mark.parametrize("client", ["4.0.2"], indirect=True)
@pytest.mark.parametrize("policy", ["default", "strict"])
@pytest.mark.parametrize("node", [one for one in nodes() if node_id(one) != "system"], ids=node_id)
@pytest.mark.parametrize("file", WORKERS)
def test_managed_instances(
    node: Path, client: Path, tmp_path: Path, file: str, policy: str
) -> None:
    """Each of four worker threads imports the handler, serves, and is guarded."""
    # Enough threads of libuv for all that wait for an event, and for the answers.
    threads = {"UV_THREADPOOL_SIZE": "16"}
    env = {"AWS_LAMBDA_MAX_CONCURRENCY": "8", "AWS_LAMBDA_NODEJS_WORKER_COUNT": "4", **threads}
    events = list(range(24))
    source = WORKERS[file]
    done = run(node, client, tmp_path, source, events, file=file, env=env, policy=policy, pollers=4)
    assert sorted(body["event"] for body in done.bodies) == events, done.output
    held = {(body["thread"], *body["rules"]) for body in done.bodies}
    assert len({thread for thread, *_ in held}) == 4, held
    assert {tuple(rules) for _, *rules in held} == {tuple(HELD)}, held
    assert "Worker" not in done.output, done.output


LOADED_AGAIN = """
const { Worker, isMainThread, parentPort } = require('worker_threads');
const fs = require('fs');
const read = () => {
    try { fs.readFileSync(__filename); return 'read'; } catch (error) { return error.code; }
};
if (!isMainThread) parentPort.postMessage(read());
exports.handler = () => new Promise((done) => {
    new Worker(__filename).on('message', done).on('error', (error) => done(String(error)));
});
"""


def test_a_worker_of_the_handlers_own_file(node: Path, client: Path, tmp_path: Path) -> None:
    done = run(node, client, tmp_path, LOADED_AGAIN, [1])
    assert done.bodies == ["EACCES"], done.output


def test_nothing_is_reported_at_start(node: Path, client: Path, tmp_path: Path) -> None:
    """Node asks the kernel for an io_uring at start, and once more in every worker."""
    source = (
        "const { Worker } = require('worker_threads');\n"
        "exports.handler = () => new Promise((done) =>"
        " new Worker('1', { eval: true }).on('exit', done));\n"
    )
    done = run(node, client, tmp_path, source, [1])
    assert (done.bodies, done.violations) == ([0], []), done.output


BUNDLE = """
const fs = require('fs'), code = (name) => {
    try { fs.readFileSync(__dirname + '/' + name); } catch (error) { return error.code; }
    return 'read';
};
exports.handler = async () => ['index.js', 'index.js.map', 'index.ts', 'other.js.map'].map(code);
"""


def test_a_bundles_source_map_is_sealed_with_it(node: Path, client: Path, tmp_path: Path) -> None:
    for name in ("index.js.map", "index.ts", "other.js.map"):
        (tmp_path / name).write_text("{}")
    named = {"file": "index.js", "handler": "index.handler", "policy": "default"}
    done = run(node, client, tmp_path, BUNDLE, [1], **named)
    assert done.bodies == [["EACCES", "EACCES", "EACCES", "read"]], done.output


BESIDE_CLIENT = """
const fs = require('fs'), net = require('net');
const hex = Number(process.env.AWS_LAMBDA_RUNTIME_API.split(':')[1]).toString(16).toUpperCase();
const code = (act) => { try { act(); return 'passed'; } catch (error) { return error.code; } };
exports.handler = async () => {
    const room = [Buffer.alloc(1)];
    const ends = new Set(fs.readFileSync('/proc/self/net/tcp', 'latin1').split('\\n')
        .map((line) => line.trim().split(/\\s+/))
        .filter((fields) => fields[2] && fields[2].endsWith(':' + hex.padStart(4, '0')))
        .map((fields) => `socket:[${fields[9]}]`));
    for (const name of fs.readdirSync('/proc/self/fd')) {
        let link;
        try { link = fs.readlinkSync('/proc/self/fd/' + name); } catch { continue; }
        if (ends.has(link)) return [
            code(() => fs.readSync(+name, room[0], 0, 1, null)),
            code(() => fs.readvSync(+name, room)),
            code(() => fs.readFileSync(+name)),
        ];
    }
    return ['no connection'];
};
"""


@pytest.mark.parametrize(("policy", "says"), [("monitor", "EAGAIN"), ("strict", "EACCES")])
def test_only_the_client_receives(
    node: Path, client: Path, tmp_path: Path, policy: str, says: str
) -> None:
    done = run(node, client, tmp_path, BESIDE_CLIENT, [1, 2], policy=policy)
    assert done.bodies == [[says] * 3] * 2, done.output
    assert {event["policy"] for event in done.violations} == {"runtime_api"}
