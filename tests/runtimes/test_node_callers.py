"""An event in Node names package, version, file and line of the JavaScript caller."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.runtimes.conftest import node_id
from tests.support import Guarded, rules, run_guarded

SOURCE = """
const fs = require('fs'), dns = require('dns'), net = require('net'), dgram = require('dgram');
const http = require('http'), { exec, spawn, spawnSync } = require('child_process');
const FILE = '/tmp/function-shield-caller', OUT = '127.66.66.66';
const tell = (error) => console.log((error.cause || error).code);
const quiet = (act) => { try { act(); } catch (error) { tell(error); } };
exports.write = () => quiet(() => fs.writeFileSync(FILE, 'x'));
exports.writeBack = () => fs.writeFile(FILE, 'x', tell);
exports.writePromise = () => fs.promises.writeFile(FILE, 'x').catch(tell);
exports.writeAwaited = async () => { await 0; await fs.promises.writeFile(FILE, 'x').catch(tell); };
exports.writeRelative = () => fs.writeFile(process.env.UP + FILE, 'x', tell);
exports.folder = () => quiet(() => fs.mkdtempSync(FILE));
exports.folderPromise = () => fs.promises.mkdtemp(FILE).catch(tell);
exports.list = () => fs.promises.readdir('/tmp').catch(tell);
exports.rename = () => fs.promises.rename(__filename, FILE).catch(tell);
exports.handler = () => fs.promises.readFile(process.env.APP).catch(tell);
exports.spawnSync = () => console.log((spawnSync('/usr/bin/uname').error || {}).code);
exports.spawn = () => spawn('/usr/bin/uname').on('error', tell);
exports.exec = () => require('util').promisify(exec)('uname').catch(tell);
exports.resolve = () => dns.resolve4('evil.example', tell);
exports.lookup = () => dns.lookup('evil.example', tell);
exports.lookupPromise = () => dns.promises.lookup('evil.example').catch(tell);
exports.connect = () => net.connect(443, 'evil.example').on('error', tell);
exports.get = () => http.get('http://evil.example/').on('error', tell);
exports.fetch = () => fetch('https://evil.example/').catch(tell);
exports.port = () => net.connect(9, 'localhost').on('error', tell);
exports.connectAddress = () => net.connect(443, OUT).on('error', tell);
exports.socketAddress = () => new net.Socket().on('error', tell).connect(443, OUT);
exports.tlsAddress = () => require('tls').connect(443, OUT).on('error', tell);
exports.getAddress = () => http.get(`http://${OUT}/`).on('error', tell);
exports.fetchAddress = () => fetch(`https://${OUT}/`).catch(tell);
exports.datagram = () => { const socket = dgram.createSocket('udp4');
    socket.send('x', 53, OUT, (error) => { tell(error); socket.close(); }); };
exports.datagramConnected = () => { const socket = dgram.createSocket('udp4');
    socket.on('error', (error) => { tell(error); socket.close(); }).connect(53, OUT); };
exports.stream = () => fs.createWriteStream(FILE).on('error', tell);
exports.fetchBody = () => fetch(`https://${OUT}/`, {method: 'POST', body: 'x'}).catch(tell);
exports.copy = () => fs.promises.cp(__filename, FILE).catch(tell);
exports.text = () => quiet(() => new Function('fs', "fs.mkdirSync('/tmp/made')")(fs));
"""
NAMED = [
    *("write", "writeBack", "writePromise", "writeAwaited", "writeRelative"),
    *("folder", "folderPromise", "list", "rename", "handler", "spawnSync", "spawn", "exec"),
    *("resolve", "lookup", "lookupPromise", "connect", "get", "fetch", "port"),
    *("connectAddress", "socketAddress", "tlsAddress", "getAddress", "fetchAddress"),
    *("datagram", "datagramConnected"),
]
# Node itself does these in a later turn of the event loop.
UNKNOWN = ["stream", "copy", "fetchBody"]
# From Node 26 on, a whole file is read or written at once, without a request to libuv.
WHOLE = {"writeBack", "writePromise", "writeAwaited", "writeRelative", "handler"}
BLOCKS = rules(
    outbound={"mode": "block", "loopback": [1]}, tmp="block", process="block", handler="block"
)
MANIFEST = """{"dependencies": {"version": "9.9.9"}, "name": "other", "keywords": ["version"],
"version": "2.3.1", "config": {"version": "0"}}"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The main file of a package in a function's node_modules."""
    folder = tmp_path / "node_modules" / "@evil" / "package"
    (folder / "lib").mkdir(parents=True)
    (folder / "package.json").write_text(MANIFEST)
    (folder / "lib" / "main.js").write_text(SOURCE)
    return folder / "lib" / "main.js"


def run(
    node: Path, package: Path, code: str, *, file: str = "app.js", policy: Any = BLOCKS
) -> Guarded:
    app = package.parents[4] / file
    app.write_text(code)
    env = {
        "LAMBDA_TASK_ROOT": str(package.parents[4]),
        "_HANDLER": "app.handler",
        "APP": str(app),
        "UP": "../" * 20 + ".",
    }
    return run_guarded([node, app], policy=policy, env=env)


def line_of(act: str) -> int:
    """The line of an act in SOURCE."""
    lines = enumerate(SOURCE.splitlines(), 1)
    return next(number for number, text in lines if text.startswith(f"exports.{act} "))


@pytest.mark.parametrize("act", NAMED)
def test_a_package(node: Path, package: Path, act: str) -> None:
    done = run(node, package, f"require({str(package)!r}).{act}();\n")
    (event,) = done.violations
    origin = event["origin"]
    if node_id(node) == "node26" and act in WHOLE:
        assert (origin["distribution"], Path(origin["file"]).name) == (None, "node"), event
        return
    assert (origin["distribution"], origin["version"]) == ("@evil/package", "2.3.1"), event
    assert (origin["file"], origin["line"]) == (str(package), line_of(act))
    assert event["message"].startswith("@evil/package tried to ")
    app = str(package.parents[4] / "app.js")
    behind = "writeAwaited"  # its caller is no longer on the stack
    assert act == behind or any(entry.startswith(f"{app}:1 ") for entry in origin["stack"])


@pytest.mark.parametrize("act", UNKNOWN)
def test_a_later_turn(node: Path, package: Path, act: str) -> None:
    """An act that Node performs with no JavaScript on the stack gets no caller, not a guessed
    one."""
    code = f"""
const evil = require({str(package)!r}), fs = require('fs');
fs.promises.stat('/tmp/..').then(() => require('dns').promises.lookup('localhost'))
    .then(() => evil.{act}());
"""
    done = run(node, package, code)
    (event,) = done.violations
    assert event["origin"]["distribution"] is None, event
    assert Path(event["origin"]["file"]).name == "node"


def test_many_at_once(node: Path, package: Path) -> None:
    """Requests that wait together, or that reuse memory, keep their own callers."""
    packages = {}
    writes = "open" if node_id(node) == "node26" else "writeFile"
    for name in ("alpha", "beta", "gamma"):
        packages[name] = package.parents[3] / name / "index.js"
        packages[name].parent.mkdir()
        packages[name].write_text(
            f"""
const fs = require('fs'), dns = require('dns'), no = () => {{}};
exports.go = (i) => Promise.all([
    fs.promises.{writes}('/tmp/function-shield-{name}-' + i, 'w').catch(no),
    fs.promises.readFile(__filename),
    dns.promises.lookup('{name}-' + i + '.example').catch(no),
]);
"""
        )
    code = f"""
const packages = {[str(path) for path in packages.values()]}.map(require);
(async () => {{
    for (let i = 0; i < 8; i++) await Promise.all(packages.map((each) => each.go(i)));
}})();
"""
    events = run(node, package, code).violations
    assert len(events) == 8 * 3 * 2
    for event in events:
        object_ = event["details"].get("path") or event["details"]["host"]
        asked_by = next(name for name in packages if name in object_)
        assert event["origin"]["distribution"] == asked_by, str(event)
        assert event["origin"]["file"] == str(packages[asked_by])


def test_a_path_left_on_the_stack(node: Path, package: Path) -> None:
    """The path of an earlier call, or the end of that path, is not mistaken for this call's path.
    The lengths are those at which it could be: of this path, of both paths of a `rename`, and of
    what a lookup allocates."""
    left = package.parents[3] / "left" / "index.js"
    left.parent.mkdir()
    left.write_text("""
const { open, readFile, rename, stat } = require('fs').promises, no = () => {};
const { lookup } = require('dns').promises;
const deep = (depth, act) => depth ? deep(depth - 1, act) : act();
const left = (i) => Promise.all([
    stat('/'.padEnd(64, 'x')).catch(no),
    readFile('/'.padEnd(8 + i % 8 * 8, 'x') + '/'.padEnd(12, 'x')).catch(no),
]);
const acts = [
    (i) => lookup(`${i}`.padEnd(16, 'x')),
    (i) => open(`/tmp/${i}`.padEnd(12, 'x'), 'w'),
    (i) => open(`/tmp/${i}`.padEnd(255, 'x'), 'w'),
    (i) => rename(`/tmp/${i}`.padEnd(32, 'x'), '/'.padEnd(31, 'x')),
];
exports.go = (i, before, after) => Promise.all(acts.map((act) => {
    const one = deep(before, () => left(i));
    return Promise.all([one, deep(after, () => act(i).catch(no))]);
}));
""")
    code = f"""
const {{ go }} = require({str(left)!r});
(async () => {{ for (let i = 0; i < 100; i++) await go(i, i % 10, Math.floor(i / 10)); }})();
"""
    events = run(node, package, code).violations
    assert len(events) == 100 * 4
    for event in events:
        assert event["origin"]["distribution"] == "left", event


def test_a_flood(node: Path, package: Path) -> None:
    """There are more requests at once than the guard remembers. Some get no name, but none a wrong
    one."""
    folder = package.parents[3] / "flood"
    folder.mkdir()
    (folder / "index.js").write_text(
        "exports.go = (i) => require('fs').promises.stat(`/tmp/../tmp/flood-${i}`).catch(() => {});"
    )
    code = f"""
const evil = require({str(package)!r}), flood = require({str(folder)!r});
for (let i = 0; i < 300; i++) flood.go(i);
evil.writePromise();
for (let i = 0; i < 300; i++) flood.go(i);
"""
    events = run(node, package, code).violations
    written = [event for event in events if event["details"]["path"].endswith("shield-caller")]
    assert written
    for event in events:
        asked_by = "@evil/package" if event in written else "flood"
        assert event["origin"]["distribution"] in (asked_by, None), event


def test_addresses_at_once(node: Path, package: Path) -> None:
    """Sockets that wait together, or that reuse memory, keep their own callers. A socket that no
    JavaScript made does not get the caller of an earlier one."""
    packages = {}
    for place, name in enumerate(("alpha", "beta", "gamma")):
        packages[name] = package.parents[3] / name / "index.js"
        packages[name].parent.mkdir()
        packages[name].write_text(
            f"""
const net = require('net'), dgram = require('dgram');
const ended = (socket, end) => new Promise((done) => socket.on('error', () => {{}}).on(end, done));
exports.go = (round, port) => Promise.all([
    ended(net.connect({place + 1}0000 + round, '127.66.66.66'), 'close'),
    ended(new net.Socket().connect(port, '127.0.0.1'), 'close'),
    new Promise((done) => {{
        const socket = dgram.createSocket('udp4');
        socket.send('x', {place + 1}1000 + round, '127.66.66.66', () => socket.close(done));
    }}),
]);
"""
        )
    code = f"""
const packages = {[str(path) for path in packages.values()]}.map(require);
const server = require('net').createServer((socket) => socket.destroy()).listen(0, async () => {{
    for (let round = 0; round < 30; round++)
        await Promise.all(packages.map((each) => each.go(round, server.address().port)));
    server.close();
}});
"""
    events = run(node, package, code, policy=rules(outbound="block")).violations
    assert len(events) == 30 * 3 * 2
    for event in events:
        asked_by = list(packages)[event["details"]["port"] // 10000 - 1]
        assert event["origin"]["distribution"] == asked_by, event
        assert event["origin"]["file"] == str(packages[asked_by])


def test_a_flood_of_sockets(node: Path, package: Path) -> None:
    """There are more sockets at once than the guard remembers. Some get no name, but none a wrong
    one."""
    folder = package.parents[3] / "flood"
    folder.mkdir()
    (folder / "index.js").write_text(
        "exports.go = (i) => require('net').connect(20000 + i, '127.66.66.66')"
        ".on('error', () => {});"
    )
    code = f"""
const evil = require({str(package)!r}), flood = require({str(folder)!r});
for (let i = 0; i < 100; i++) flood.go(i);
evil.connectAddress();
for (let i = 100; i < 200; i++) flood.go(i);
"""
    events = run(node, package, code).violations
    assert len(events) == 201
    named = [event for event in events if event["origin"]["distribution"] is not None]
    assert len(named) == 64
    for event in named:
        assert event["origin"]["distribution"] == "flood", event
        assert event["details"]["port"] >= 20000 + 200 - 64


def test_a_worker(node: Path, package: Path) -> None:
    """Each JavaScript thread has its own requests."""
    code = f"""
const {{ Worker, isMainThread }} = require('worker_threads');
const evil = require({str(package)!r});
if (isMainThread) new Worker(__filename); else evil.lookupPromise().then(evil.connectAddress);
"""
    events = run(node, package, code, file="main.js").violations
    assert [event["details"]["port"] for event in events] == [None, 443]
    for event in events:
        assert event["origin"]["distribution"] == "@evil/package", event


def test_a_module(node: Path, package: Path) -> None:
    """The name of an ES module is a URL."""
    (package.parents[4] / "with space").mkdir()
    code = "import fs from 'fs';\ntry { fs.mkdirSync('/tmp/function-shield-caller'); } catch {}\n"
    done = run(node, package, code, file="with space/made.mjs")
    (event,) = done.violations
    assert event["origin"]["file"] == str(package.parents[4] / "with space" / "made.mjs")
    assert (event["origin"]["distribution"], event["origin"]["line"]) == ("with space", 2)
    assert event["origin"]["version"] is None


def test_the_function(node: Path, package: Path) -> None:
    """The function's own code is known by the handler's module, as in Python."""
    code = "try { require('fs').mkdirSync('/tmp/function-shield-caller'); } catch {}\n"
    (event,) = run(node, package, code).violations
    assert (event["origin"]["distribution"], event["origin"]["line"]) == ("app", 1)


def test_code_from_a_string(node: Path, package: Path) -> None:
    """The code belongs to the package that created it."""
    (event,) = run(node, package, f"require({str(package)!r}).text();\n").violations
    assert (event["origin"]["distribution"], event["origin"]["file"]) == (
        "@evil/package",
        "<string>",
    )


def test_while_v8_starts(node: Path, package: Path) -> None:
    """V8 maps its code under /tmp before it can be asked for the caller."""
    policy = rules(tmp="alert")
    code = "console.log(require('fs').existsSync(`/tmp/perf-${process.pid}.map`));\n"
    app = package.parents[4] / "app.js"
    app.write_text(code)
    done = run_guarded([node, "--perf-basic-prof", app], policy=policy)
    assert (done.returncode, done.stdout) == (0, "true\n"), done.stderr
    assert done.violations
    for event in done.violations:
        assert event["origin"]["distribution"] is None, event
        Path(event["details"]["path"]).unlink(missing_ok=True)


def test_in_a_collection(node: Path, package: Path) -> None:
    """What Node closes during a garbage collection is not attributed to the code on the stack."""
    asked = "require('module').isBuiltin('node:sqlite')"
    have = subprocess.run([node, "-p", asked], check=True, capture_output=True)
    if have.stdout != b"true\n":
        pytest.skip("this Node has no node:sqlite")
    path = Path(tempfile.mkdtemp(prefix="function-shield-", dir="/tmp")) / "base"
    opens = package.parents[3] / "opens" / "index.js"
    opens.parent.mkdir()
    opens.write_text(f"""
const {{ DatabaseSync }} = require('node:sqlite');
exports.go = () => {{ new DatabaseSync({str(path)!r}).exec(
    'pragma journal_mode = wal; create table t (x); insert into t values (1)'); }};
""")
    code = f"""
require({str(opens)!r}).go();
setTimeout(() => {{
    require('v8').setFlagsFromString('--expose-gc');
    require('vm').runInNewContext('gc')();
    console.log(require('fs').existsSync({str(path)!r} + '-wal'));
}}, 10);
"""
    try:
        done = run(node, package, code, policy=rules(tmp="alert"))
    finally:
        shutil.rmtree(path.parent)
    assert (done.returncode, done.stdout) == (0, "false\n"), done.stderr
    by = {
        event["details"]["path"].removeprefix(str(path)): event["origin"]["distribution"]
        for event in done.violations
        if event["details"]["operation"] == "remove"
    }
    assert by == {"-journal": "opens", "-wal": None, "-shm": None}


def test_from_a_hook(node: Path, package: Path) -> None:
    """A hook of async_hooks runs inside Node's own code, with all kinds of stacks."""
    hooks = package.parents[3] / "hooks" / "index.js"
    hooks.parent.mkdir()
    hooks.write_text("""
const fs = require('fs');
const init = () => { try { fs.rmdirSync('/tmp/function-shield-caller'); } catch {} };
require('async_hooks').createHook({ init }).enable();
""")
    code = f"""
require({str(hooks)!r});
let count = 0;
const again = () => require('fs').promises.stat('/tmp').then(() => ++count < 4000 && again());
again();
"""
    done = run(node, package, code, policy=rules(tmp="block"))
    assert done.returncode == 0, done.stderr
    assert {event["origin"]["distribution"] for event in done.violations} == {"hooks"}


def test_a_dry_run_answers_as_bare(node: Path, package: Path) -> None:
    done = run(
        node,
        package,
        f"require({str(package)!r}).spawnSync();\n",
        policy=rules(outbound="alert", tmp="alert", process="alert", handler="alert"),
    )
    assert done.stdout == "undefined\n"
    (event,) = done.violations
    assert (event["mode"], event["origin"]["distribution"]) == ("alert", "@evil/package")


def test_memory_of_an_answered_lookup(node: Path, package: Path) -> None:
    """A lookup whose name reuses the memory of an earlier one has its own caller."""
    ports = {9: "alpha", 10: "beta", 11: "gamma"}
    code = "const named = [];\n"
    for port, name in ports.items():
        file = package.parents[3] / name / "index.js"
        file.parent.mkdir()
        act = f"require('net').connect({{ port: {port}, host: 'localhost', family: 4 }})"
        file.write_text(f"exports.go = () => new Promise((done) => {act}.on('error', done));\n")
        code += f"named.push(require({str(file)!r}));\n"
    code += """
(async () => {
    for (let i = 0; i < 4; i++)
        for (const each of named) await new Promise((done) => setTimeout(done, 5)).then(each.go);
})();
"""
    done = run(node, package, code)
    found = {(one["details"]["port"], one["origin"]["distribution"]) for one in done.violations}
    assert found == set(ports.items())
