"""`learn --code`: names in the function's own code and configuration count as its own."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.cli.learn import notes
from fshield.evidence import own_text
from fshield.evidence.learn import learn
from fshield.evidence.learnt import Learnt
from fshield.evidence.tiers import Tiers
from tests.fshield.learning import entries, held
from tests.fshield.recorded import Log

CLIENT = "/var/lang/lib/python3.13/site-packages/awslambdaric/bootstrap.py:9 run"
DEPENDENCY = "/var/task/graphdb/__init__.py:3 dial"
NAMING = """
import graphdb
graph = graphdb.connect("bolt://graph.shop.example:7687")  # ours.shop.example.evil.example
store = shelf.open("/tmp/shelf")
report = f"/tmp/report-{month}.xlsx"
tool = "/opt/bin/convert"
log = "/tmp/logs/app.log"
shell = "/bin/sh"
metadata = "http://169.254.169.254/", "http://metadata.google.internal/"
"""
RECORD = "graphdb/__init__.py,,\ngraphdb-1.0.dist-info/METADATA,,\n../../bin/graphdb,,\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A function's folder: its handler, a second module, and a dependency."""
    folder = tmp_path / "function"
    for name, text in {
        "app.py": NAMING,
        "shop/orders.py": "HOST = 'orders.shop.example'",
        "config.json": '{"queue": "amqp://user:secret@queue.shop.example:5672"}',
        "package-lock.json": '{"resolved": "https://lists.shop.example/"}',
        "graphdb/unlisted.py": "HOST = 'unlisted.evil.example'",
        "graphdb/__init__.py": "TELEMETRY = 'https://collector.evil.example'",
        "graphdb-1.0.dist-info/RECORD": RECORD,
        "graphdb-1.0.dist-info/METADATA": "Name: graphdb",
        "node_modules/odd/index.js": "const host = 'odd.evil.example';",
        ".git/config.json": "'hidden.evil.example'",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def learnt(log: Log, package: Path | None, **variables: str) -> Learnt:
    evidence = log.evidence()
    named = own_text.read(package, variables, evidence.packages.own)
    evidence.packages.note_installed(named.installed)
    evidence.packages.own |= named.own
    return learn(evidence, Tiers(evidence, text=named))


def by_dependency(*hosts: str, log: Log | None = None) -> Log:
    log = log or Log()
    frames = [DEPENDENCY, "/var/task/app.py:5 handler", CLIENT]
    for host in hosts:
        log.add("outbound_connectivity", *frames, host=host, port=7687, protocol="tcp")
    return log


@pytest.mark.parametrize("packed", [False, True])
def test_named_hosts_are_learnt(package: Path, packed: bool) -> None:
    log = by_dependency("graph.shop.example", "orders.shop.example", "queue.shop.example")
    if packed:
        place = package.with_suffix(".zip")
        with zipfile.ZipFile(place, "w") as archive:
            for file in sorted(package.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(package))
    found = learnt(log, place if packed else package)
    assert not found.held
    assert len(entries(found)) == 3
    assert "named in its code or configuration" in found.text("p")


def test_a_variable_of_the_configuration_names_too() -> None:
    log = by_dependency("graph.shop.example")
    assert held(learnt(log, None))
    assert not held(learnt(log, None, GRAPH_URL="bolt://graph.shop.example:7687"))


@pytest.mark.parametrize(
    "host",
    [
        "collector.evil.example",  # in the dependency's own file
        "unlisted.evil.example",  # in a file that its RECORD leaves out
        "odd.evil.example",  # in node_modules
        "hidden.evil.example",  # in .git
        "lists.shop.example",  # in a list of dependencies
        "shop.example",  # the end of a name in the code
        "graph.shop.example.evil.example",  # begins with a name in the code
        "ours.shop.example",  # the beginning of a name in the code
        "metadata.google.internal",  # named in the code, but gives credentials away
    ],
)
def test_what_is_not_named_stays_held_back(package: Path, host: str) -> None:
    found = learnt(by_dependency(host), package)
    assert list(held(found)) == [f"{host}:7687"]


def test_a_folder_without_metadata_of_distributions(package: Path) -> None:
    """Without metadata, dependencies would look like the function's own code. Only the handler's
    module and the configuration count."""
    for name in ("RECORD", "METADATA"):
        (package / "graphdb-1.0.dist-info" / name).unlink()
    (package / "node_modules/odd/index.js").unlink()
    hosts = ("graph.shop.example", "queue.shop.example", "collector.evil.example")
    found = learnt(by_dependency(*hosts, "orders.shop.example"), package)
    assert set(held(found)) == {"collector.evil.example:7687", "orders.shop.example:7687"}


def test_named_paths_and_programs(package: Path) -> None:
    log = Log()
    frames = [DEPENDENCY, "/var/task/app.py:5 handler", CLIENT]
    for path in ("/tmp/shelf", "/tmp/report-2026-09.xlsx", "/tmp/shelves", "/tmp/.shelf"):
        log.add("read_write_tmp", *frames, path=path, operation="create")
    for path in ("/tmp/shelf/part/1", "/tmp/shelf.db-journal", "/tmp/logs"):
        log.add("read_write_tmp", DEPENDENCY, path=path, operation="create")
    for path in ("/opt/bin/convert", "/opt/bin/convert2", "/bin/sh"):
        log.add("create_child_process", *frames, path=path, operation="execute")
    found = learnt(log, package)
    assert set(held(found)) == {"/tmp/shelves", "/tmp/.shelf", "/opt/bin/convert2", "/bin/sh"}


FILLED_IN = """
a = f"/tmp/{name}_{event['day']}.xlsx"; b = `/tmp/${event.month}.zip`; c = "/tmp/graphs/%s.gml" % i
d = f"/tmp/{anything}"; e = f"/tmp/{folder}/x"; f = f"/tmp/{user}/{name}.json"; g = f"/tmp/{n}.a"
"""


def test_a_name_with_something_to_fill_in(package: Path) -> None:
    (package / "app.py").write_text(FILLED_IN)
    log = Log()
    frames = [DEPENDENCY, "/var/task/app.py:5 handler", CLIENT]
    for path in ("/tmp/ann_2026.xlsx", "/tmp/2026-09.zip", "/tmp/graphs/g1.gml"):
        log.add("read_write_tmp", *frames, path=path, operation="create")
    others = ("/tmp/other", "/tmp/ann/x", "/tmp/ann/b.json", "/tmp/n.a")
    for path in others:
        log.add("read_write_tmp", *frames, path=path, operation="create")
    found = learnt(log, package)
    assert entries(found) == ['"/tmp/*.zip"', '"/tmp/*_*.xlsx"', '"/tmp/graphs/*.gml"']
    assert set(held(found)) == set(others)


NAMED = """
a = f"/tmp/{team} report {month}.xlsx"; b = f"/tmp/frame_{a}_k3v9x2qa.raw"
c = f"/tmp/{partner}.csv"; d = f"/tmp/in/{user}.json"
"""


def test_what_looks_generated_and_is_filled_in(package: Path) -> None:
    (package / "app.py").write_text(NAMED)
    names = [
        "north report 2026-09.xlsx",
        "frame_7_k3v9x2qa.raw",
        "acme_20261124.csv",
        "bolt_20261124.csv",
        "in/41b2c5e0-7d3b-4a52-9a55-7c1f6f1f9b3e.json",
    ]
    frames = ["/var/task/app.py:5 handler", CLIENT]
    log = Log()
    for name in names:
        log.add("read_write_tmp", *frames, path=f"/tmp/{name}", operation="create")
    known = "????????-????-????-????-????????????"
    wanted = {"/tmp/* report *.xlsx", "/tmp/frame_*_k3v9x2qa.raw", "/tmp/*.csv"}
    assert {line.value for line in learnt(log, package).lines} == {
        *wanted,
        f"/tmp/in/{known}.json",  # narrower than what fills it in
    }
    assert "/tmp/acme_????????.csv" in {line.value for line in learnt(log, None).lines}


def test_names_that_will_be_others_are_noted(package: Path) -> None:
    text = 'a = f"/tmp/{user}-{name}"; b = "/tmp/config.json"; c = "/tmp/model.bin"'
    (package / "app.py").write_text(text)

    def noted(*names: str) -> list[str]:
        log = Log()
        for name in names:
            path = f"/tmp/{name}"
            log.add("read_write_tmp", "/var/task/app.py:5 handler", CLIENT, path=path)
        return [note for note in notes(learnt(log, package)) if "does not spell" in note]

    assert noted("config.json", "model.bin", "ann-a.pdf") == []
    (note,) = noted("config.json", "ann-a.pdf", "bob-b.png")
    assert note.startswith("/tmp/ann-a.pdf and 1 more: the code does not spell these names")


def test_fix_fills_in_names_that_look_generated(tmp_path: Path, package: Path) -> None:
    (package / "app.py").write_text(NAMED)
    log, policy = Log(), tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    for name in ("acme", "bolt"):
        path = f"/tmp/{name}_20261124.csv"
        log.add("read_write_tmp", "/var/task/app.py:5 handler", CLIENT, path=path, mode="block")
    command = ["fix", "-p", str(policy), str(log.write(tmp_path / "log")), "--code", str(package)]
    done = CliRunner().invoke(app, command)
    assert "/tmp/*.csv" in done.stdout and "acme" not in done.stdout, done.output


BUNDLED = (
    'var __commonJS = (cb, mod) => {};\nvar hosts = ["api.example", "collector.evil.example"];\n'
)


def test_what_lies_in_the_folder_of_code_is_the_function_s_in_node(tmp_path: Path) -> None:
    """`fshield invoke` runs a function where it lies, not in /var/task."""
    folder = tmp_path / "function"
    (folder / "node_modules/tintkit").mkdir(parents=True)
    (folder / "app.js").write_text("exports.handler = async () => {};\n")
    log = Log().host("api.example", f"{folder}/lib/call.js:3 call")
    log.host("collector.evil.example", f"{folder}/node_modules/tintkit/index.js:2 post")
    command = ["learn", str(log.write(tmp_path / "log")), "--json"]
    done = CliRunner().invoke(app, [*command, "--code", str(folder)])
    found = json.loads(done.stdout)
    assert [line["entry"] for line in found["learnt"]] == ["host: api.example"]
    assert [item["what"] for item in found["held"]] == ["collector.evil.example:443"]
    assert not [note for note in found["notes"] if "bundle" in note]


@pytest.mark.parametrize("text", [BUNDLED, "// node_modules/a/b.js\n", "var a=1;" * 1000])
def test_a_bundle_is_named(tmp_path: Path, text: str) -> None:
    """What a package in it did cannot be told from the function."""
    folder, out = tmp_path / "function", tmp_path / "p.yaml"
    folder.mkdir()
    (folder / "app.js").write_text(text)
    (folder / "other.js").write_text("exports.other = 1;\n")
    log = Log().host("collector.evil.example", f"{folder}/app.js:3 post")
    command = ["learn", str(log.write(tmp_path / "log")), "-o", str(out), "--code", str(folder)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    said = "app.js: a bundle. What the packages in it did is learnt as the function's own"
    assert f"note: {said}" in " ".join(done.output.split())
    assert f"# {said}" in out.read_text()


def test_what_a_client_makes_below_a_named_folder(package: Path) -> None:
    """An event of a rename may have only one name. The other is below the folder as well."""
    (package / "app.py").write_text("a = f'/tmp/lake/{table}'; b = '/tmp/keys'; c = '/tmp/x/y.log'")
    log = Log()
    made = f"/tmp/lake/orders/{'0123456789abcdef' * 2}.part"
    paths = ("/tmp/lake/orders", "/tmp/lake/orders/log/1#1", made, "/tmp/keys", "/tmp/keys/ring")
    for path in (*paths, "/tmp/x", "/tmp/x/y.log", "/tmp/y/z.log"):
        log.add("read_write_tmp", DEPENDENCY, path=path, operation="create")
    found = learnt(log, package)
    assert entries(found) == ['"/tmp/keys/**"', '"/tmp/lake/*/**"', "/tmp/x", "/tmp/x/y.log"]
    assert set(held(found)) == {"/tmp/y/z.log"}


def test_packages_of_the_folder_are_told_apart(package: Path) -> None:
    """A module that a distribution brought is not offered as the function's own."""
    log = Log()
    for name in ("graphdb", "shop"):
        frames = ["/var/task/urllib3/connection.py:1 connect", f"/var/task/{name}/orders.py:3 get"]
        log.add("outbound_connectivity", *frames, host=f"{name}.partner.example", port=443)
    assert {item.own for item in learnt(log, None).held} == {"graphdb", "shop"}
    (item,) = learnt(log, package).held
    assert (item.act.target, item.own) == ("graphdb.partner.example", "")


def test_the_command_and_what_it_says(package: Path, tmp_path: Path) -> None:
    log, policy = tmp_path / "events.log", tmp_path / "p.yaml"
    hosts = by_dependency("graph.shop.example", "collector.evil.example")
    frames = ["/var/task/othersdk/api.py:3 get", "/var/task/app.py:5 handler", CLIENT]
    hosts.add("outbound_connectivity", *frames, host="other.example", port=443)
    log.write_text("".join(f"{line}\n" for line in hosts.lines))
    command = ["learn", str(log), "-o", str(policy)]
    done = CliRunner().invoke(app, command)
    printed = " ".join(done.output.split())
    assert done.exit_code == 1
    assert "--trust graphdb --trust othersdk" in printed
    assert "--code FOLDER" in printed
    assert "app called it" in printed
    done = CliRunner().invoke(app, [*command, "--code", str(package), "-e", "OTHER=other.example"])
    assert done.exit_code == 0, done.output
    assert "collector.evil.example:7687" in " ".join(done.output.split()).replace(" ", "")
    assert "--code FOLDER" not in done.output
    text = policy.read_text()
    assert "graph.shop.example" in text
    assert "host: other.example" in text


def test_a_port_that_a_server_of_ftp_chooses() -> None:
    log = Log()
    frames = ["/var/task/app.py:5 handler", CLIENT]
    for port in (21, 45007, 50123):
        log.add("outbound_connectivity", *frames, host="files.example", port=port)
    for port in (6379, 45007):
        log.add("outbound_connectivity", *frames, host="cache.example", port=port)
    assert entries(learnt(log, None)) == [
        "{host: cache.example, ports: [6379, 45007]}",
        "{host: files.example, ports: [21, 1024-65535]}",
    ]
    said = [line for line in learnt(log, None).text("p").splitlines() if "FTP" in line]
    assert len(said) == 1 and "host: files.example" in said[0]


def test_fix_fills_in_what_the_code_fills_in(tmp_path: Path, package: Path) -> None:
    """One event of a rename. The next rename has other names."""
    (package / "app.py").write_text(
        'part = f"/tmp/{n}-bill.pdf.part"; final = f"/tmp/{n}-bill.pdf"'
    )
    policy = tmp_path / "p.yaml"
    policy.write_text("version: 1\npolicy:\n  default: block\n")
    frames = ["/var/task/app.py:5 handler", CLIENT]
    paths = {"path": "/tmp/a-bill.pdf.part", "to": "/tmp/a-bill.pdf"}
    log = Log().add("read_write_tmp", *frames, **paths, operation="rename")
    command = ["fix", "-p", str(policy), "-w", str(log.write(tmp_path / "log"))]
    done = CliRunner().invoke(app, [*command, "--code", str(package)])
    assert done.exit_code == 0, done.stderr
    assert [line.split("#")[0].strip() for line in policy.read_text().splitlines()[-2:]] == [
        '- "/tmp/*-bill.pdf"',
        '- "/tmp/*-bill.pdf.part"',
    ]


def test_fix_knows_what_the_code_names(tmp_path: Path, package: Path) -> None:
    """A package asked for a blocked host that the function's own code names."""
    log, policy = Log(), tmp_path / "p.yaml"
    frames = [DEPENDENCY, "/var/task/app.py:5 handler", CLIENT]
    log.add("outbound_connectivity", *frames, host="graph.shop.example", port=7687, mode="block")
    events = tmp_path / "events.log"
    events.write_text("".join(f"{line}\n" for line in log.lines))
    policy.write_text("version: 1\npolicy:\n  outbound_connectivity: block\n")
    command = ["fix", "-p", str(policy), str(events)]
    held = CliRunner().invoke(app, command)
    assert held.exit_code == 1
    assert "--code FOLDER" in " ".join(held.output.split())
    done = CliRunner().invoke(app, [*command, "--code", str(package)])
    assert done.exit_code == 0, done.output
    assert "+      - {host: graph.shop.example, ports: [7687]" in done.output
    assert "--code FOLDER" not in done.output
