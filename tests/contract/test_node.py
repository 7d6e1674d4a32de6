"""Node: the same four rules in three modes, enforced by the libc ring alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.contract.helpers import OUTSIDE
from tests.contract.test_alert import fill, outside, tree
from tests.support import Guarded, rules, run_bare, run_guarded

__all__ = ["outside"]

NODE = shutil.which("node") or "node"
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no Node on this machine")

#: Each act prints its result: "ok …", or the error's code.
PRELUDE = """
const fs = require('fs'), net = require('net'), dns = require('dns'), path = require('path')
const cp = require('child_process')
const dgram = require('dgram'), http = require('http'), os = require('os')
const D = process.argv[1], there = path.join(D, 'there'), x = path.join(D, 'x')
const said = (error, value) => error ? error.code || error.message : 'ok ' + JSON.stringify(value)
const say = (error, value) => console.log(said(error, value))
const sync = act => {
    let value
    try { value = act() } catch (error) { return say(error) }
    say(null, value)
}
"""
FILES = {
    "readFileSync": "sync(() => fs.readFileSync(there, 'utf8'))",
    "readFile": "fs.readFile(there, 'utf8', say)",
    "promises": "fs.promises.readFile(there, 'utf8').then(value => say(null, value), say)",
    "createReadStream": (
        "fs.createReadStream(there).on('error', say).on('data', data => say(null, data.toString()))"
    ),
    "writeFileSync": "sync(() => fs.writeFileSync(x, 'data'))",
    "appendFileSync": "sync(() => fs.appendFileSync(there, 'data'))",
    "mkdirSync": "sync(() => fs.mkdirSync(x))",
    "mkdtempSync": "sync(() => fs.mkdtempSync(x).length)",
    "readdirSync": "sync(() => fs.readdirSync(D).sort())",
    "unlinkSync": "sync(() => fs.unlinkSync(there))",
    "rmdirSync": "sync(() => fs.rmdirSync(path.join(D, 'empty')))",
    "renameSync": "sync(() => fs.renameSync(there, x))",
    "symlinkSync": "sync(() => fs.symlinkSync('target', x))",
    "linkSync": "sync(() => fs.linkSync(there, x))",
    "truncateSync": "sync(() => fs.truncateSync(there, 2))",
    "chmodSync": "sync(() => fs.chmodSync(there, 0o600))",
    "copyFileSync": "sync(() => fs.copyFileSync('/etc/hostname', x))",
    "missing": "sync(() => fs.readFileSync(path.join(D, 'missing')))",
}
NETWORK = {
    "connect": (
        f"const c = net.connect(PORT, '{OUTSIDE}', () => {{ say(); c.destroy() }}).on('error', say)"
    ),
    "http": (
        f"http.get('http://{OUTSIDE}:PORT/', r => {{ say(null, r.statusCode); r.resume()"
        " }).on('error', say)"
    ),
    "fetch": (
        f"fetch('http://{OUTSIDE}:PORT/').then(r => say(null, r.status), error => say(error.cause))"
    ),
    "udp": (
        f"const s = dgram.createSocket('udp4'); s.send('x', PORT, '{OUTSIDE}', e => {{ say(e);"
        " s.close() })"
    ),
}
PROCESSES = {
    "spawnSync": (
        "const r = cp.spawnSync('/usr/bin/uname'); say(r.error, r.stdout && r.stdout.toString())"
    ),
    "execFileSync": "sync(() => cp.execFileSync('uname').toString())",
    "execSync": (
        "sync(() => cp.execSync('uname; uname | cat', {stdio: ['ignore', 'pipe',"
        " 'ignore']}).toString())"
    ),
    "spawn": "cp.spawn('uname').on('error', say).on('exit', (code, signal) => say(null, code))",
    "fork": "cp.fork('/dev/null').on('error', say).on('exit', (code, signal) => say(null, code))",
}
ACTS = {
    **{name: (code, "read_write_tmp") for name, code in FILES.items()},
    **{name: (code, "outbound_connectivity") for name, code in NETWORK.items()},
    **{name: (code, "create_child_process") for name, code in PROCESSES.items()},
}


def node(code: str, folder: Path, port: int, policy: Any = None) -> Guarded:
    argv = [NODE, "-e", PRELUDE + code.replace("PORT", str(port)), str(folder)]
    return run_bare(argv) if policy is None else run_guarded(argv, policy=policy)


@pytest.mark.parametrize("act", ACTS)
def test_alert(act: str, tmp_name: Path, outside: int) -> None:
    code, rule = ACTS[act]
    bare = node(code, fill(tmp_name), outside)
    expected = len(tree(tmp_name))
    shutil.rmtree(tmp_name)
    result = node(code, fill(tmp_name), outside, rules("alert", "alert", "alert", "alert"))
    assert (result.returncode, result.stdout, result.stderr) == (
        bare.returncode,
        bare.stdout,
        bare.stderr,
    )
    assert len(tree(tmp_name)) == expected
    assert [(event["policy"], event["mode"]) for event in result.violations] == [(rule, "alert")], (
        result.violations
    )


@pytest.mark.parametrize("act", ACTS)
def test_block(act: str, tmp_name: Path, outside: int) -> None:
    code, rule = ACTS[act]
    before = tree(fill(tmp_name))
    result = node(code, tmp_name, outside, rules("block", "block", "block", "block"))
    assert result.stdout.strip() == "EACCES", result
    assert [(event["policy"], event["mode"]) for event in result.violations] == [(rule, "block")], (
        result.violations
    )
    assert tree(tmp_name) == before


@pytest.mark.parametrize("act", ["readFileSync", "writeFileSync", "connect", "execFileSync"])
def test_allow(act: str, tmp_name: Path, outside: int) -> None:
    code, _ = ACTS[act]
    bare = node(code, fill(tmp_name), outside)
    shutil.rmtree(tmp_name)
    result = node(code, fill(tmp_name), outside, rules())
    assert (result.stdout, result.violations) == (bare.stdout, [])
    excepted = rules(
        {"mode": "block", "allow": [{"cidr": f"{OUTSIDE}/32", "ports": [outside]}]},
        {"mode": "block", "allow": [f"{tmp_name}/**"]},
        {"mode": "block", "allow": [str(Path("/usr/bin/uname").resolve())]},
    )
    shutil.rmtree(tmp_name)
    result = node(code, fill(tmp_name), outside, excepted)
    assert (result.stdout, result.violations) == (bare.stdout, [])


@pytest.mark.parametrize(
    "act",
    [
        "dns.lookup('evil.example', say)",
        "net.connect(443, 'evil.example').on('error', say)",
        "http.get('http://evil.example/', say).on('error', say)",
        "fetch('http://evil.example/').then(say, error => say(error.cause))",
    ],
)
def test_lookups(act: str, tmp_path: Path) -> None:
    """Refused by name, before a query leaves."""
    result = node(act, tmp_path, 0, rules(outbound="block"))
    assert result.stdout.strip() and not result.stdout.startswith("ok"), result
    assert [event["details"]["host"] for event in result.violations] == ["evil.example"]
    assert all(event["mode"] == "block" for event in result.violations)


def test_lookups_by_packets(tmp_path: Path) -> None:
    """dns.resolve4 talks to a name server itself."""
    code = (
        "const r = new dns.Resolver({timeout: 500, tries: 1})\n"
        f"r.setServers(['{OUTSIDE}']); r.resolve4('evil.example', say)"
    )
    result = node(code, tmp_path, 0, rules(outbound="block"))
    assert not result.stdout.startswith("ok")
    assert result.of("outbound_connectivity"), result


def test_localhost_passes(tmp_path: Path) -> None:
    code = (
        "const server = net.createServer(s => s.end('hello')).listen(0, '127.0.0.1', () =>\n "
        " net.connect(server.address().port, 'localhost').on('data', d => { say(null,"
        " d.toString()); server.close() }).on('error', say))"
    )
    result = node(code, tmp_path, 0, rules("block", "block", "block", "block"))
    assert (result.stdout, result.violations) == ('ok "hello"\n', [])


def test_armed_says_that_the_interpreter_ring_is_absent() -> None:
    result = run_guarded([NODE, "-e", "console.log(1)"], policy="default")
    (event,) = result.events
    assert (event["event"], event["rings"], event["runtime"]) == ("armed", ["libc"], "node")
    assert result.stdout == "1\n"


@pytest.mark.parametrize("options", [[], ["--jitless"], ["--single-threaded"], ["--no-opt"]])
def test_workers_and_options(options: list[str]) -> None:
    code = (
        "const { Worker } = require('worker_threads')\nnew Worker(`const fs = require('fs'); let"
        " said = 'passed';try { fs.readdirSync('/tmp') } catch (e) { said = e.code };"
        " require('worker_threads').parentPort.postMessage(said)`, { eval: true }).on('message',"
        " console.log)"
    )
    result = run_guarded([NODE, *options, "-e", code], policy=rules(tmp="block"))
    assert result.stdout == "EACCES\n", result
    assert len(result.violations) == 1


# ---- the handler's source ----

READ = """
const fs = {fs}
const attempt = (name, act) => {{
    try {{ act(); console.log(name, 'read') }} catch (error) {{ console.log(name, error.code) }}
}}
attempt('own', () => fs.readFileSync(SOURCE))
attempt('link', () => fs.readFileSync(LINK))
attempt('descriptor', () => fs.closeSync(fs.openSync(SOURCE, 'r')))
attempt('copy', () => fs.copyFileSync(SOURCE, SOURCE + '.copy'))
attempt('other', () => fs.readFileSync(OTHER))
"""
BOOTSTRAPS = {
    # Lambda's runtime client loads a handler by require, or by import if it is an ES module.
    "require": "require(process.env.TASK + '/' + process.env._HANDLER.split('.')[0]).handler()",
    "import": (
        "import(process.env.TASK + '/' + process.env._HANDLER.split('.')[0] + '.mjs').then(m =>"
        " m.handler())"
    ),
}


@pytest.mark.parametrize("mode", ["block", "alert", "allow"])
@pytest.mark.parametrize("kind", BOOTSTRAPS)
def test_read_handler(kind: str, mode: str, tmp_path: Path) -> None:
    suffix, head, fs = {
        "require": ("js", "const helper = require('./helper.js')\n", "require('fs')"),
        "import": ("mjs", "import fs0 from 'fs'\nimport helper from './helper.js'\n", "fs0"),
    }[kind]
    source = tmp_path / f"app.{suffix}"
    other = tmp_path / "helper.js"
    other.write_text("module.exports = { name: 'helper' }\n")
    (tmp_path / "link").symlink_to(source)
    body = READ.format(fs=fs)
    for name, path in (("SOURCE", source), ("LINK", tmp_path / "link"), ("OTHER", other)):
        body = body.replace(name, json.dumps(str(path)))
    export = "exports.handler =" if kind == "require" else "export const handler ="
    source.write_text(f"{head}console.log('loaded', helper.name)\n{export} () => {{\n{body}\n}}\n")
    env = {"_HANDLER": "app.handler", "LAMBDA_TASK_ROOT": str(tmp_path), "TASK": str(tmp_path)}
    result = run_guarded([NODE, "-e", BOOTSTRAPS[kind]], policy=rules(handler=mode), env=env)
    outcome = "EACCES" if mode == "block" else "read"
    expected = [
        "loaded helper",
        *(f"{name} {outcome}" for name in ("own", "link", "descriptor", "copy")),
        "other read",
    ]
    assert result.stdout.splitlines() == expected, result
    events = result.of("read_handler")
    if mode == "allow":
        assert events == []
    else:
        assert {event["mode"] for event in events} == {mode}
        assert {event["details"]["path"] for event in events} == {str(source)}


def test_read_handler_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    source = tmp_path / "src" / "app.js"
    source.write_text(
        "const fs = require('fs')\nexports.handler = () => { try { fs.readFileSync(__filename);"
        " console.log('read') } catch (error) { console.log(error.code) } }\n"
    )
    env = {"_HANDLER": "src/app.handler", "LAMBDA_TASK_ROOT": str(tmp_path), "TASK": str(tmp_path)}
    result = run_guarded(
        [NODE, "-e", "require(process.env.TASK + '/src/app').handler()"],
        policy=rules(handler="block"),
        env=env,
    )
    assert result.stdout == "EACCES\n", result
