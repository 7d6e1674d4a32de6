"""Whatever is wrong with a policy causes exactly one error, with its place, what is allowed and,
mostly, a fix."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.errors import Finding, PolicyError
from fshield.language.loader import load, resolve
from fshield.language.reader import MAX_BYTES, parse

Refused = Callable[[str | bytes], Finding]
HEAD = "version: 1\npolicy:\n"
OUT = HEAD + "  outbound_connectivity:\n    mode: block\n    allow:\n"
TMP = HEAD + "  read_write_tmp:\n    mode: block\n    allow:\n"

# The text, the line and column of the error, a word of the message, and a word of what is allowed
# or of the fix.
BAD = [
    ("", 1, 1, "empty", "version: 1"),
    ("\n\n", 1, 1, "empty", "version: 1"),
    ("# nothing\n", 1, 1, "comments", "version: 1"),
    ("hello\n", 1, 1, "mapping", "version: 1"),
    ("- a\n", 1, 1, "mapping", "version: 1"),
    ("{}\n", 1, 1, "neither", "version: 1"),
    ("verison: 1\npolicy: {}\n", 1, 1, "verison", "version"),
    ("version: 2\n", 1, 10, "2", "1"),
    ('version: "1"\n', 1, 10, "'1'", "version: 1"),
    ("version: true\n", 1, 10, "true", "1"),
    ("version: 1\npolcy: {}\n", 2, 1, "polcy", "policy"),
    ("version: 1\npolicy:\n", 2, 8, "mapping", "outbound_connectivity"),
    ("version: 1\nversion: 1\n", 2, 1, "second time", "once"),
    ("version: 1\n---\nversion: 1\n", 2, 1, "second document", "one policy"),
    (HEAD + "  read_handler: blok\n", 3, 17, "blok", "block"),
    (HEAD + "  read_handler: off\n", 3, 17, "off", "block, alert, allow"),
    (HEAD + "  read_handler: true\n", 3, 17, "true", "block, alert, allow"),
    (HEAD + "  read_handler:\n", 3, 3, "no value", "read_handler: block"),
    (HEAD + "  read_handler: [block]\n", 3, 17, "a list", "block"),
    (HEAD + "  read_handler: {mode: blok}\n", 3, 24, "blok", "block"),
    (HEAD + "  read_handler: {mode: block, allow: [x]}\n", 3, 31, "no exceptions", ""),
    (HEAD + "  runtime_api: {mode: block, allow: [x]}\n", 3, 30, "no exceptions", ""),
    (
        HEAD + "  outbound_conectivity: block\n",
        3,
        3,
        "outbound_conectivity",
        "outbound_connectivity",
    ),
    (HEAD + "\tread_handler: block\n", 3, 1, "tab", "spaces"),
    (HEAD + "  read_handler: {mode: block\n", 4, 1, "not YAML", "key"),
    (HEAD + "  read_handler: block: alert\n", 3, 22, "not YAML", "two keys"),
    (HEAD + "  ? [a]\n  : b\n", 3, 5, "a key", ""),
    ("a: &a [1]\nb: *a\n", 1, 4, "anchors", ""),
    ("version: 1\npolicy: !!python/object:os.system {}\n", 2, 9, "tags", ""),
    ("version: 1\npolicy: " + "[" * 2000, 2, 25, "nested", ""),
    (b"version: 1\n  \xff\xfe", 2, 3, "UTF-8", "UTF-8"),
    (b"\xff\xfev\0", 1, 1, "UTF-16", "UTF-8"),
    (b"ver\0sion: 1\n", 1, 4, "NUL", ""),
    (b"version: 1 # \x1b[2J\n", 1, 14, "U+001B", ""),
    (b"a" * 1_000_000, 1, 1, "256 KB", ""),
    (b"\n" * (MAX_BYTES + 1), 1, 1, "256 KB", ""),
    (OUT + "      - host: *.example.org\n", 6, 15, "aliases", '"*.example.org"'),
    (OUT + "      - host: https://x.org/a\n", 6, 15, "scheme", "host: x.org"),
    (OUT + "      - host: x.org/a\n", 6, 15, "path", "host: x.org"),
    (OUT + "      - host: x.org:8443\n", 6, 15, "port in it", "ports: [8443]"),
    (OUT + "      - host: me@x.org\n", 6, 15, "user", "host: x.org"),
    (OUT + '      - host: "*"\n', 6, 15, "every host", "alert"),
    (OUT + '      - host: "*."\n', 6, 15, "every host", "alert"),
    (OUT + "      - host: api.*.org\n", 6, 15, "`*`", "very beginning"),
    (OUT + "      - host: x*.example.org\n", 6, 15, "`*`", "*.example.org"),
    (OUT + "      - host: 192.0.2.7\n", 6, 15, "address", "cidr: 192.0.2.7"),
    (OUT + "      - host: 2001:db8::1\n", 6, 15, "address", "cidr: 2001:db8::1"),
    (OUT + "      - host: 0x7f.1\n", 6, 15, "address", "cidr"),
    (OUT + "      - host: 2130706433\n", 6, 15, "not text", ""),
    (OUT + "      - host: a..b\n", 6, 15, "empty part", ""),
    (OUT + "      - host: -a.org\n", 6, 15, "'-a'", "letters"),
    (OUT + "      - host: a b.org\n", 6, 15, "'a b'", "letters"),
    (OUT + '      - host: "a\\0b.org"\n', 6, 15, "not a part", "letters"),
    (OUT + f"      - host: {'a' * 64}.org\n", 6, 15, "64 bytes", "63"),
    (OUT + f"      - host: {'.'.join(['a' * 50] * 6)}\n", 6, 15, "305 bytes", "253"),
    (OUT + "      - host: straße.example\n", 6, 15, "two ways", "xn--"),
    (OUT + "      - host: ''\n", 6, 15, "empty", ""),
    (OUT + "      - hots: x.org\n", 6, 9, "hots", "`host`"),
    (OUT + "      - {host: x.org, cidr: 10.0.0.0/8}\n", 6, 23, "either", "two entries"),
    (OUT + "      - {ports: [443]}\n", 6, 9, "what it allows", "host"),
    (OUT + "      - x.org\n", 6, 9, "x.org", "- host: x.org"),
    (OUT + "      - aws\n", 6, 9, "aws", "- aws: [dynamodb]"),
    (OUT + "      - aws: yes\n", 6, 14, "yes", "aws: true"),
    (OUT + "      - aws: false\n", 6, 14, "allows nothing", "aws: true"),
    (OUT + "      - aws: [dynamodb, sq]\n", 6, 25, "sq", "`sqs`"),
    (OUT + "      - aws: [states]\n", 6, 15, "states", "`stepfunctions`"),
    (OUT + "      - aws: [DynamoDB]\n", 6, 15, "DynamoDB", "`dynamodb`"),
    (OUT + "      - aws: [sqs, sqs]\n", 6, 14, "twice", "once"),
    (OUT + "      - aws: []\n", 6, 14, "empty", "aws: [dynamodb]"),
    (OUT + "      - aws: {}\n", 6, 14, "empty", "buckets"),
    (OUT + "      - aws: dynamodb\n", 6, 14, "dynamodb", "aws: [dynamodb]"),
    (OUT + "      - aws: [s3]\n", 6, 14, "everybody's buckets", "buckets: [my-bucket]"),
    (OUT + "      - aws: {s3: {}}\n", 6, 15, "everybody's buckets", "buckets: [my-bucket]"),
    (OUT + "      - aws: {s3: }\n", 6, 15, "everybody's buckets", "buckets: [my-bucket]"),
    (
        OUT + "      - aws: {s3: {regions: [eu-west-1]}}\n",
        6,
        15,
        "everybody's buckets",
        "buckets: [my-bucket]",
    ),
    (OUT + "      - aws: {s4: {buckets: [b]}}\n", 6, 15, "s4", "dynamodb"),
    (OUT + "      - aws: {s3: {bucket: [b]}}\n", 6, 20, "bucket", "`buckets`"),
    (OUT + "      - aws: {s3: {buckets: []}}\n", 6, 29, "at least one", "[my-bucket]"),
    (OUT + "      - aws: {s3: {buckets: my-bucket}}\n", 6, 29, "a list", "[my-bucket]"),
    (OUT + "      - aws: {s3: {buckets: [my.bucket]}}\n", 6, 30, "a dot", "access point"),
    (OUT + "      - aws: {s3: {buckets: [MyBucket]}}\n", 6, 30, "cannot exist", "mybucket"),
    (OUT + "      - aws: {s3: {buckets: [my_bucket]}}\n", 6, 30, "cannot exist", "lower-case"),
    (OUT + "      - aws: {s3: {buckets: [ab]}}\n", 6, 30, "cannot exist", "3 to 63"),
    (OUT + f"      - aws: {{s3: {{buckets: [{'b' * 64}]}}}}\n", 6, 30, "cannot exist", "3 to 63"),
    (OUT + "      - aws: {s3: {buckets: [-bucket]}}\n", 6, 30, "cannot exist", ""),
    (OUT + "      - aws: {s3: {buckets: [xn--bucket]}}\n", 6, 30, "cannot exist", ""),
    (OUT + '      - aws: {s3: {buckets: ["*"]}}\n', 6, 30, "cannot exist", ""),
    (
        OUT + '      - aws: {s3: {buckets: ["s3://my-bucket/a"]}}\n',
        6,
        30,
        "not a bucket's name",
        "buckets: [my-bucket]",
    ),
    (
        OUT + '      - aws: {s3: {buckets: ["arn:aws:s3:::my-bucket"]}}\n',
        6,
        30,
        "not a bucket's",
        "buckets: [my-bucket]",
    ),
    (OUT + '      - aws: {s3: {buckets: ["$BUCKET"]}}\n', 6, 30, "not a variable", "${env:BUCKET}"),
    (OUT + "      - aws: {sqs: {buckets: [b]}}\n", 6, 15, "sqs", "buckets"),
    (OUT + "      - aws: {sqs: [b]}\n", 6, 20, "a mapping", "regions"),
    (OUT + "      - aws: [apigatewaymanagementapi]\n", 6, 15, "a customer", "execute-api"),
    (
        OUT + "      - {aws: [sqs], regions: [eu-cental-1]}\n",
        6,
        32,
        "eu-cental-1",
        "`eu-central-1`",
    ),
    (OUT + "      - {aws: [sqs], regions: [us-iso-east-1]}\n", 6, 32, "us-iso-east-1", "us"),
    (OUT + "      - {aws: [sqs], regions: []}\n", 6, 31, "at least one", "eu-west-1"),
    (OUT + "      - {aws: true, regions: [eu-west-1]}\n", 6, 21, "no regions", "aws: [dynamodb]"),
    (OUT + "      - {aws: [sqs], accounts: [12345]}\n", 6, 33, "12345", "12 digits"),
    (OUT + "      - {host: x.org, regions: [eu-west-1]}\n", 6, 23, "regions", "host"),
    (OUT + '      - host: "${BUCKET}.example.org"\n', 6, 15, "not a variable", "${env:BUCKET}"),
    (OUT + '      - host: "${env:A B}.example.org"\n', 6, 15, "not a variable", "${env:"),
    (
        OUT + '      - host: "${env:A}${env:B}${env:C}${env:D}${env:E}.x"\n',
        6,
        15,
        "5 variables",
        "4",
    ),
    (OUT + '      - host: "${env:A}:8443"\n', 6, 15, "port in it", "ports: [8443]"),
    (OUT + '      - host: "${env:A}.*.org"\n', 6, 15, "`*`", "very beginning"),
    (OUT + "      - host: x{region}.example.org\n", 6, 15, "not a part", "letters"),
    (OUT + "      - cidr: 10.0.0.1/16\n", 6, 15, "bits", "10.0.0.0/16"),
    (OUT + "      - cidr: 10.0.0.0/33\n", 6, 15, "not an address range", ""),
    (OUT + "      - cidr: 10.0.0.0/255.0.0.0\n", 6, 15, "mask", "10.0.0.0/8"),
    (OUT + "      - cidr: 10.0.0.1:443\n", 6, 15, "not an address range", "ports: [443]"),
    (OUT + "      - cidr: example.org\n", 6, 15, "not an address range", "host: example.org"),
    (OUT + "      - cidr: fe80::1%eth0\n", 6, 15, "zone", "fe80::1"),
    (OUT + "      - cidr: ::ffff:10.0.0.0/104\n", 6, 15, "IPv4", "10.0.0.0/8"),
    (OUT + "      - cidr: [10.0.0.0/8]\n", 6, 15, "a list", ""),
    (OUT + "      - {host: x.org, prots: [1]}\n", 6, 23, "prots", "`ports`"),
    (OUT + "      - {host: x.org, ports: 443}\n", 6, 30, "list", "ports: [443]"),
    (OUT + "      - {host: x.org, ports: []}\n", 6, 30, "empty", "443"),
    (OUT + "      - {host: x.org, ports: [0]}\n", 6, 30, "port 0", "65535"),
    (OUT + "      - {host: x.org, ports: [65536]}\n", 6, 30, "65536", "65535"),
    (OUT + "      - {host: x.org, ports: [true]}\n", 6, 30, "true", "65535"),
    (OUT + '      - {host: x.org, ports: ["443"]}\n', 6, 30, "'443'", "443"),
    (OUT + "      - {host: x.org, ports: [9-8]}\n", 6, 30, "ends before", "8-9"),
    (OUT + "      - {host: x.org, tls: require}\n", 6, 28, "require", "required"),
    (OUT + "      - {host: x.org, expires: tomorrow}\n", 6, 32, "tomorrow", "2027-01-31"),
    (OUT + "      - {host: x.org, expires: 2027-02-30}\n", 6, 32, "2027-02-30", "2027-01-31"),
    (OUT + "      - {host: x.org, owner: 7}\n", 6, 30, "7", ""),
    (HEAD + "  outbound_connectivity: {mode: block, allow: {host: x}}\n", 3, 47, "list", ""),
    # Entries that can never match.
    (OUT + "      - host: x.org\n      - host: X.org.\n", 7, 9, "never match", "take one"),
    (
        OUT + "      - {host: x.org, ports: [1-9]}\n      - {host: x.org, ports: [3, 4]}\n",
        7,
        9,
        "line 6",
        "",
    ),
    (OUT + "      - cidr: 10.1.2.3\n      - cidr: 10.1.2.3/32\n", 7, 9, "never match", ""),
    (OUT + "      - aws: true\n      - aws: true\n", 7, 9, "never match", ""),
    (
        HEAD + "  outbound_connectivity:\n    mode: allow\n    allow: [{aws: true}]\n",
        5,
        5,
        "never matter",
        "block",
    ),
    (TMP + "      - /tmp/a/**\n      - /tmp/a/b\n", 7, 9, "never match", ""),
    (TMP + "      - /var/x\n", 6, 9, "outside /tmp", "/tmp/"),
    (TMP + "      - /tmpfoo\n", 6, 9, "outside /tmp", "/tmp/"),
    (TMP + "      - /tmp/../etc/**\n", 6, 9, "`..`", "/etc/**"),
    (TMP + "      - /tmp//a\n", 6, 9, "`//`", "/tmp/a"),
    (TMP + "      - /tmp/a/\n", 6, 9, "slash", "/tmp/a/**"),
    (TMP + "      - tmp/a\n", 6, 9, "absolute", "/tmp/a"),
    (TMP + '      - "  "\n', 6, 9, "empty", ""),
    (TMP + '      - "/tmp/\\0"\n', 6, 9, "control", ""),
    (TMP + f"      - /tmp/{'a' * 4096}\n", 6, 9, "4095", ""),
    (TMP + "      - {pth: /tmp/a}\n", 6, 10, "pth", "path"),
    (
        HEAD + "  create_child_process: {mode: block, allow: [uname]}\n",
        3,
        47,
        "resolved path",
        "/usr/bin/uname",
    ),
    (HEAD + "  native_code: {mode: block, allow: [a-b]}\n", 3, 38, "a-b", "module"),
    ("version: 1\ndefault: blok\n", 2, 10, "blok", "block"),
    ("version: 1\ndefault: block\npolicy: {default: alert}\n", 3, 10, "at the top", ""),
    ("version: 1\nallow_reconfigure: yes\n", 2, 20, "yes", "`true`"),
    ("version: 1\nallow_mode_override: alert\n", 2, 22, "list", "[]"),
    ("version: 1\nallow_mode_override: [alert, on]\n", 2, 30, "on", "off"),
    ("version: 1\nevents: {format: xml}\n", 2, 18, "xml", "ocsf"),
    ("version: 1\nevents: {allowed: all}\n", 2, 19, "all", "first"),
    ("version: 1\nevents: {emf_namespace: AWS/x}\n", 2, 25, "AWS/x", "AWS/"),
    # Wrong FunctionShield options.
    ("policy: {read_handler: {mode: block}}\n", 1, 10, "language", "version: 1"),
    ("policy: {native_code: block}\n", 1, 10, "language", "version: 1"),
    ("policy: {}\ndefault: block\n", 2, 1, "default", "version: 1"),
    ("policy: {}\ntokn: x\n", 2, 1, "tokn", "token"),
    ("policy: {}\ndisable_analytics: maybe\n", 2, 20, "maybe", "true"),
]


@pytest.mark.parametrize(("content", "line", "column", "message", "right"), BAD)
def test_one_error_with_its_place(
    refused: Refused, content: str | bytes, line: int, column: int, message: str, right: str
) -> None:
    finding = refused(content)
    assert (finding.line, finding.column) == (line, column), finding
    assert finding.level == "error"
    assert message in finding.message
    assert right in f"{finding.allowed} {finding.fix}"
    assert finding.allowed or finding.fix


@pytest.mark.parametrize("content", [case[0] for case in BAD])
def test_commands_say_it_once_and_write_nothing(content: str | bytes, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "good.yaml").write_text("version: 1\n")
    bad = folder / "bad.yaml"
    bad.write_bytes(content.encode() if isinstance(content, str) else content)
    checked = CliRunner().invoke(app, ["check", str(bad)])
    assert checked.exit_code == 1
    assert checked.output.count(": error: ") == 1
    assert checked.output.startswith(f"{bad}:")
    assert "Traceback" not in checked.output
    as_json = CliRunner().invoke(app, ["check", "--json", str(bad)])
    assert as_json.exit_code == 1
    assert len(json.loads(as_json.stdout)["findings"]) == 1
    for command in (["compile", str(bad)], ["package", str(folder)]):
        out = tmp_path / "out"
        result = CliRunner().invoke(app, [*command, "-o", str(out)])
        assert result.exit_code == 2
        assert result.output.count(": error: ") == 1
        assert not out.exists()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["policies"]


def test_the_first_of_several_errors(refused: Refused) -> None:
    finding = refused(HEAD + "  read_handler: blok\n  native_code: allw\n")
    assert finding.line == 3


def test_rubbish(refused: Refused) -> None:
    rubbish = random.Random(7).randbytes(1_000_000)
    assert refused(rubbish).line == 1
    assert refused(rubbish[:200_000]).level == "error"


def test_a_bomb_is_not_expanded(refused: Refused) -> None:
    levels = "".join(f"x{i}: &x{i} [{', '.join([f'*x{i - 1}'] * 9)}]\n" for i in range(1, 10))
    assert "anchors" in refused("x0: &x0 [lol]\n" + levels).message


def _loads_or_one_error(content: bytes) -> None:
    try:
        resolve(parse("x.yaml", content), "x")
    except PolicyError as error:
        assert error.finding.line >= 1
        assert error.finding.column >= 1
        assert error.finding.message


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    _loads_or_one_error(content)


@settings(deadline=None)
@given(st.text(alphabet=list("version: 1policy\n\t-[]{}#&*!|>'\"%@`,?abc")))
def test_any_near_yaml(content: str) -> None:
    _loads_or_one_error(content.encode())


_KEYS = st.sampled_from(
    [
        "version",
        "policy",
        "default",
        "events",
        "allow",
        "mode",
        "host",
        "cidr",
        "aws",
        "ports",
        "tls",
        "path",
        "s3",
        "buckets",
        "regions",
        "accounts",
        "sqs",
        "outbound_connectivity",
        "read_write_tmp",
        "create_child_process",
        "read_handler",
        "native_code",
        "runtime_api",
        "allow_mode_override",
        "allow_reconfigure",
        "expires",
        "token",
        "library",
    ]
)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(
        ["block", "alert", "allow", "off", "x.org", "10.0.0.0/8", "/tmp/x", "2027-01-01"]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.dictionaries(_KEYS, _VALUES, max_size=6), st.booleans())
def test_any_structure(content: dict[str, object], versioned: bool) -> None:
    if versioned:
        content["version"] = 1
    _loads_or_one_error(json.dumps(content).encode())


def test_load_names_the_file(write: Callable[[str | bytes], Path]) -> None:
    path = write("version: 3\n")
    with pytest.raises(PolicyError, match=str(path)):
        load(path)


def test_every_error_of_a_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "version: 1\n"
        "polcy: 1\n"
        "policy:\n"
        "  read_handler: blok\n"
        "  read_write_tmp:\n"
        "    mod: block\n"
        "    allow:\n"
        "      - cache\n"
        "      - {path: /tmp/x, resaon: y, ownr: z}\n"
        "  outbound_connectivity:\n"
        "    mode: block\n"
        "    allow:\n"
        '      - {host: "*", prots: [1]}\n'
        "tests:\n"
        "  - blocked: {conect: a.example}\n"
    )
    done = CliRunner().invoke(app, ["check", "--json", str(file)])
    places = [(each["line"], each["column"]) for each in json.loads(done.stdout)["findings"]]
    assert done.exit_code == 1
    assert places == [
        (2, 1), (4, 17), (6, 5), (8, 9), (9, 24), (9, 35), (13, 16), (13, 21), (15, 15),
    ]  # fmt: skip
    file.write_text(TMP + "      - /tmp/a\n      - /tmp/a\n      - /tmp/b\n      - /tmp/b\n")
    dead = CliRunner().invoke(app, ["check", str(file)]).output
    assert dead.count("can never match") == 2
