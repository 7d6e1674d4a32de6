"""Runs the attack corpus inside the stand-in: ``python -m tests.replica.attacks [WORD…]``.

The corpus's own runner runs in the container, under Lambda's restrictions. One more mount is
writable: ``/scratch``, for the packages that contain the attacks. Policies and C programs are
compiled outside. Exit status 0 only if every attack behaves as its header declares, or cannot work
at all in such a sandbox. Without Docker the exit status is 0 too, unless FSHIELD_TEST_REQUIRE names
docker.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fshield.engine.compiler import compile_policy
from fshield.errors import CouldNotRun
from fshield.language.loader import load
from fshield.local import sandbox
from fshield.local.container import connect
from tests import support
from tests.attacks import building, runner
from tests.attacks.corpus import Attack, corpus
from tests.replica.corpus_support import document_name
from tests.replica.image import debian_image

HERE = Path(__file__).resolve().parent
LIMIT_S = 1500


def _chosen(words: Iterable[str]) -> list[Attack]:
    wanted = list(words)
    return [
        attack for attack in corpus() if not wanted or any(word in attack.name for word in wanted)
    ]


def compile_all(attacks: Iterable[Attack], folder: Path) -> None:
    """Compile every policy that the runner inside will need."""
    import yaml  # noqa: PLC0415 - of the command line's own requirements, and only here

    for attack in attacks:
        documents = [document for _, document in runner.blocking_policies(attack)]
        documents.append(runner.alerting(attack)[0])
        for document in map(runner.without_version, documents):
            path = folder / document_name(document)
            if not path.exists():
                source = folder / "source.yaml"
                source.write_text(yaml.safe_dump({"version": 1, **document}, sort_keys=False))
                path.write_bytes(compile_policy(load(source)))


def build_all(attacks: Iterable[Attack]) -> Path:
    """Build the C programs with this machine's compiler, in the folder that the runner in the
    container searches.
    """
    for attack in attacks:
        if attack.language == "c":
            building.build(attack.path, *(["-static"] if "static" in attack.needs else []))
    for name in ("raw", "plain", "extension"):
        building.build(building.LIB / f"{name}.c", "-shared", "-fPIC")
    building.build(building.LIB / "static.c", "-static")
    return building.SCRATCH / "built"


def run(words: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Yield the runner's answers, one for each attack: ``name``, ``verdict``, ``rings``,
    ``problems``.

    Raises:
        CouldNotRun: Docker or the image is missing.
    """
    image = debian_image()
    attacks = _chosen(words)
    client = connect()
    scratch = support.SCRATCH / "replica"
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as made:
        compiled = Path(made) / "compiled"
        compiled.mkdir()
        Path(made).chmod(0o755)
        compile_all(attacks, compiled)
        yaml = find_spec("yaml")
        assert yaml is not None and yaml.origin is not None
        inside = {
            support.LAYER: "/opt",
            support.ROOT / "policies": "/corpus/policies",
            support.ROOT / "tests" / "__init__.py": "/corpus/tests/__init__.py",
            support.ROOT / "tests" / "attacks": "/corpus/tests/attacks",
            HERE / "corpus_support.py": "/corpus/tests/support.py",
            HERE / "corpus_driver.py": "/corpus/driver.py",
            Path(yaml.origin).parent: "/corpus/yaml",
            compiled: "/corpus/compiled",
        }
        compiler = building.compiler()
        if len(compiler) == 1:
            # It only has to exist: the runner never starts it, because everything is built already.
            inside[build_all(attacks)] = "/scratch/attacks/built"
            inside[Path(shutil.which("false") or "/bin/false")] = compiler[0]
        options = sandbox.restrictions()
        options["tmpfs"]["/scratch"] = (
            f"rw,exec,nosuid,nodev,uid={sandbox.UID},gid={sandbox.GID},mode=0755"
        )
        options["tmpfs"]["/scratch/attacks"] = options["tmpfs"]["/scratch"]
        container = client.containers.create(
            image,
            ["/corpus/driver.py", *words],
            entrypoint=["/var/lang/bin/python3"],
            network_mode="none",
            volumes={str(place): {"bind": path, "mode": "ro"} for place, path in inside.items()},
            working_dir="/",
            init=True,
            **{key: value for key, value in options.items() if key != "dns"},
        )
        try:
            container.start()
            client.api.timeout = LIMIT_S
            answers = list(
                _answers(container.logs(stdout=True, stderr=False, stream=True, follow=True))
            )
            status = container.wait(timeout=60)["StatusCode"]
            if status != 0:
                raise RuntimeError(
                    f"the runner ended with {status}: {container.logs(stdout=False)[-2000:]!r}"
                )
            return answers
        finally:
            container.remove(force=True)
            client.close()


def _answers(stream: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Split a stream into answers. It comes in pieces of any size."""
    rest = b""
    for part in stream:
        *lines, rest = (rest + part).split(b"\n")
        yield from (json.loads(line) for line in lines if line.startswith(b'{"name"'))


def main(words: list[str]) -> int:
    try:
        answers = run(words)
    except CouldNotRun as error:
        required = "docker" in os.environ.get("FSHIELD_TEST_REQUIRE", "").split(",")
        print(
            f"{'error' if required else 'not run'}: the attacks in the stand-in for Lambda's"
            f" sandbox: {error}"
        )
        return 2 if required else 0
    for answer in answers:
        note = ", ".join(answer.get("rings", [])) or answer.get("why", "")
        print(f"{answer['name']:48} {answer['verdict']}{f' ({note})' if note else ''}")
        for problem in answer.get("problems", []):
            print(f"    {problem}")
    count = Counter(answer["verdict"] for answer in answers)
    print(
        f"{len(answers)} attacks in the stand-in: {count['held']} held, {count['open']} open as"
        f" declared, {count['sandbox']} that cannot work in such a sandbox, {count['not run']} not"
        f" run, {count['not as declared']} not as declared"
    )
    return 1 if count["not as declared"] or not answers else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
