"""Random names become patterns, and a learnt policy allows its own evidence."""

from __future__ import annotations

import json
import random
import uuid
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fshield.cli.app import app
from fshield.engine import decide as native
from fshield.engine.compiler import compile_policy
from fshield.errors import PolicyError
from fshield.evidence.learn import learn
from fshield.evidence.learnt import Learnt
from fshield.evidence.shapes import Moment, matches, shape, siblings
from fshield.evidence.tiers import Tiers
from fshield.language.loader import resolve
from fshield.language.policy import Family, Mode, Policy
from fshield.language.reader import parse
from tests.fshield.recorded import Log

TEMPFILE = "abcdefghijklmnopqrstuvwxyz0123456789_"
#: 2026-11-24 06:00 UTC, the time of the events that `recorded` makes.
NOON = Moment(1795500000.0, "bbe9a6e1-9922-4d27-bfed-b34d7e205114")
U = "????????-????-????-????-????????????"


def learnt(*paths: str) -> Learnt:
    log = Log()
    for path in paths:
        log.add("read_write_tmp", path=path, operation="create", requestId=NOON.request)
    evidence = log.evidence()
    return learn(evidence, Tiers(evidence))


def values(*paths: str) -> list[str]:
    return [line.value for line in learnt(*paths).lines]


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/tmp/tmpja9aaz34", "/tmp/tmp????????"),
        ("/tmp/tmpabcdefgh", "/tmp/tmp????????"),
        ("/tmp/tmpja9aaz34.csv", "/tmp/tmp????????.csv"),
        ("/tmp/tmpja9aaz34_thumb.png", "/tmp/tmp????????_thumb.png"),
        ("/tmp/0nbl755u", "/tmp/????????"),
        ("/tmp/sessionid48j7a061ji9qyjnyl3cm6h6s5rcese2m", f"/tmp/sessionid{'?' * 32}"),
        ("/tmp/k7viuksrxi5mmv12ojgdhnpzchbit260_out_k3v9_x2q", f"/tmp/{'?' * 32}_out_{'?' * 8}"),
        ("/tmp/xqzvkwpj", "/tmp/????????"),
        ("/tmp/upload_k3v9_x2q.csv", "/tmp/upload_????????.csv"),
        ("/tmp/upload-k3v9ax2q-small.csv", "/tmp/upload-????????-small.csv"),
        ("/tmp/cache/work/job-k3v9ax2q", "/tmp/cache/work/job-????????"),
        ("/tmp/job-k3v9ax2q/part/1.bin", "/tmp/job-????????/**"),
        ("/tmp/b1c7e8a2-3f7d-4b38-9d20-8f8f8b0f4e11.pdf", f"/tmp/{U}.pdf"),
        ("/tmp/B1C7E8A2-3F7D-4B38-9D20-8F8F8B0F4E11/a", f"/tmp/{U}/**"),
        ("/tmp/photo.jpg.6fC2A1b9", "/tmp/photo.jpg.????????"),
        ("/tmp/in-d41d8cd98f00b204e9800998ecf8427e.bin", f"/tmp/in-{'?' * 32}.bin"),
        ("/tmp/9f86d081884c7d65", f"/tmp/{'?' * 16}"),
        ("/tmp/report-20261124.csv", "/tmp/report-????????.csv"),
        ("/tmp/report-2026-11-25.csv", "/tmp/report-????-??-??.csv"),
        ("/tmp/run_20261124_060000/x.png", "/tmp/run_????????_??????/**"),
        ("/tmp/x-1795500123.log", "/tmp/x-??????????.log"),
        ("/tmp/x-1795500123456.log", "/tmp/x-?????????????.log"),
        ("/tmp/x-1795500123.456789.log", "/tmp/x-??????????.*.log"),
        (f"/tmp/{NOON.request}/in.json", f"/tmp/{U}/**"),
    ],
)
def test_made_up_names_at_first_sight(path: str, pattern: str) -> None:
    assert shape(path, NOON) == pattern and matches(pattern, path)


@pytest.mark.parametrize(
    "path",
    [
        "/tmp/download", "/tmp/report_1.csv", "/tmp/cache_db", "/tmp/data2024", "/tmp/model_v2.bin",
        "/tmp/manifest.json",
        "/tmp/thumbnail_128x128.png", "/tmp/en_core_web_sm", "/tmp/users_old.csv",
        "/tmp/.aws-xray/initialized",
        "/tmp/report-20251124.csv", "/tmp/report-20261201.csv", "/tmp/x-1600000000.log",
        "/tmp/job-123456.log",
        "/tmp/deadbeef", "/tmp/en-GB/strings.po",
        "/tmp/nightly_run_8.csv", "/tmp/batch_0001_out.txt", "/tmp/2026-09_chart.png",
        "/tmp/img_0001_thumb.jpg", "/tmp/invoice_12_de.pdf", "/tmp/part1_final.bin",
        "/tmp/chunk_1_2", "/tmp/2nd_pass.log", "/tmp/clip_30s.mp4", "/tmp/thumb_640x480.png",
        "/tmp/model_v2_best.pt", "/tmp/tmp_export_blue.parquet", "/tmp/my_file_1_2_3.txt",
    ],
)  # fmt: skip
def test_names_that_somebody_chose(path: str) -> None:
    assert shape(path, NOON) == path


@pytest.mark.parametrize(
    "form", ["{}", "{}.csv", "job-{}", "upload_{}.pdf", "tmp{}", "tmp{}_x.png", "A.{}-b"]
)
def test_one_in_fifty_of_tempfile_s_names_looks_like_a_word_at_most(form: str) -> None:
    chance = random.Random(form)
    names = ["".join(chance.choices(TEMPFILE, k=8)) for _ in range(3000)]
    missed = [
        name
        for name in names
        if shape(f"/tmp/{form.format(name)}") != f"/tmp/{form.format('?' * 8)}"
    ]
    assert len(missed) <= (0 if form == "tmp{}" else 90), missed


@pytest.mark.parametrize(
    ("paths", "patterns"),
    [
        (["/tmp/thumb-a.png", "/tmp/thumb-b.png"], ["/tmp/thumb-*.png"]),
        (["/tmp/photo1.jpg", "/tmp/photo12.jpg"], ["/tmp/photo*.jpg"]),
        (["/tmp/in.csv", "/tmp/out.csv"], ["/tmp/in.csv", "/tmp/out.csv"]),
        (["/tmp/a", "/tmp/b", "/tmp/c"], ["/tmp/a", "/tmp/b", "/tmp/c"]),
        (["/tmp/w/in.csv", "/tmp/w/out.csv"], ["/tmp/w/in.csv", "/tmp/w/out.csv"]),
        (["/tmp/w/in.csv", "/tmp/w/out.csv", "/tmp/w/log"], ["/tmp/w/*"]),
        (["/tmp/w/in.csv", "/tmp/w/out.csv", "/tmp/w/d/x"], ["/tmp/w/**"]),
        (["/tmp/user-7/a.csv", "/tmp/user-8/b.csv"], ["/tmp/user-*/**"]),
        (
            ["/tmp/report-2024/s-20261128.csv", "/tmp/report-2024/s-20261129.csv"],
            ["/tmp/report-2024/s-????????.csv"],
        ),
        (["/tmp/job-1234.log"], ["/tmp/job-1234.log"]),
    ],
)
def test_names_in_one_folder(paths: list[str], patterns: list[str]) -> None:
    assert values(*paths) == patterns


def test_a_name_that_looks_like_a_word_goes_with_its_generator() -> None:
    missed = ["/tmp/job-hemlrmar", "/tmp/job-oxebayot"]
    assert [shape(path) for path in missed] == missed
    assert values(*missed, "/tmp/job-k3v9_x2q") == ["/tmp/job-????????"]
    assert values(f"{missed[0]}/a", "/tmp/job-k3v9_x2q/b") == ["/tmp/job-????????/**"]


def test_what_siblings_share() -> None:
    assert siblings(["a.csv", "b.csv"]) == {} == siblings(["data.csv", "data.json"])
    assert siblings(["report-2024-alice.csv", "report-2024-bob-x.csv"]) == {
        "report-2024-*.csv": ["report-2024-alice.csv", "report-2024-bob-x.csv"]
    }


def test_of_each_pattern_it_is_said_what_else_it_admits(tmp_path: Path) -> None:
    log = Log().add("read_write_tmp", path="/tmp/job-k3v9ax2q/part.bin", operation="create")
    done = CliRunner().invoke(app, ["learn", str(log.write(tmp_path / "log"))])
    assert (
        "pattern: /tmp/job-????????/**: every folder of the form /tmp/job-????????" in done.stderr
    )
    answer = json.loads(CliRunner().invoke(app, ["learn", "--json", str(tmp_path / "log")]).stdout)
    assert "and everything in it" in answer["learnt"][0]["admits"]


NAMES = st.one_of(
    st.sampled_from(
        [
            "in.csv",
            "out.csv",
            "cache",
            "thumb-a.png",
            "thumb-b.png",
            "x",
            "data-v2",
            "A1b2C3d4",
            "log.1",
        ]
    ),
    st.text(TEMPFILE, min_size=8, max_size=8).flatmap(
        lambda name: st.sampled_from(
            [name, f"tmp{name}", f"job-{name}", f"{name}.csv", f"u_{name}_s.png"]
        )
    ),
    st.integers(0, 1 << 128).map(lambda number: str(uuid.UUID(int=number % (1 << 128)))),
    st.integers(0, 10**12).map(lambda number: f"job-{number}.log"),
    st.integers(1795400000, 1795600000).map(str),
    st.dates().map(lambda day: f"report-{day:%Y%m%d}.csv"),
    st.text("0123456789abcdefABCDEF.-_", min_size=1, max_size=20).filter(
        lambda name: name.strip(".")
    ),
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(lambda names: "/tmp/" + "/".join(names))


@settings(max_examples=150, deadline=None)
@example(["/tmp/0000000a.csv", "/tmp/report-19990101.csv/x", "/tmp/report-19980101.csv/x"])
@given(st.lists(PATHS, min_size=1, max_size=40))
def test_a_learnt_policy_lets_its_own_evidence_pass(paths: list[str]) -> None:
    found = learnt(*paths)
    assert not found.held
    policy = native.Compiled(
        compile_policy(resolve(parse("p.yaml", found.text("p").encode()), "p"))
    )
    for path in paths:
        assert policy.decide(Family.TMP, path=path).mode is Mode.ALLOW, (
            path,
            [line.value for line in found.lines],
        )


# ---- entries for tempfile ----

ENTRY = "version: 1\npolicy:\n  read_write_tmp:\n    mode: block\n    allow:\n"


def policy_of(*entries: str) -> Policy:
    text = ENTRY + "".join(f"      - {entry}\n" for entry in entries)
    return resolve(parse("p.yaml", text.encode()), "p")


@pytest.mark.parametrize("entry", ["tempfile", "{path: tempfile, reason: pandas}"])
def test_tempfile_stands_for_its_names(entry: str) -> None:
    compiled = native.Compiled(compile_policy(policy_of(entry)))
    for path in ("/tmp/tmpja9aaz34", "/tmp/tmpja9aaz34/a/b", "/tmp/0nbl755u"):
        verdict = compiled.decide(Family.TMP, path=path)
        assert (verdict.mode, verdict.source, verdict.text) == (Mode.ALLOW, "p.yaml:6", "tempfile")
    for path in ("/tmp/tmpja9aaz34.csv", "/tmp/payload", "/tmp", "/tmp/cache/tmpja9aaz34"):
        assert compiled.decide(Family.TMP, path=path).mode is Mode.BLOCK


@pytest.mark.parametrize(
    "entries",
    [("tempfile", "tempfile"), ("tempfile", '"/tmp/tmp????????"'), ("/tmp/**", "tempfile")],
)
def test_an_entry_beside_tempfile_that_can_never_match(entries: tuple[str, ...]) -> None:
    with pytest.raises(PolicyError, match="can never match"):
        policy_of(*entries)


def test_tempfile_after_a_part_of_it() -> None:
    assert len(policy_of('"/tmp/tmp????????"', "tempfile").allows) == 4


def test_tempfile_in_the_commands(tmp_path: Path) -> None:
    policy, old = tmp_path / "p.yaml", tmp_path / "old.yaml"
    policy.write_text(ENTRY + "      - tempfile\n")
    old.write_text("version: 1\npolicy: {read_write_tmp: block}\n")
    run = CliRunner().invoke
    assert run(app, ["check", str(policy)]).exit_code == 0
    explained = run(app, ["explain", str(policy), "open", "/tmp/tmpja9aaz34"]).stdout
    assert "allowed" in explained and "- tempfile" in explained
    changed = run(app, ["diff", str(old), str(policy)]).stdout
    assert "tempfile (/tmp/tmp????????)" in changed


def test_tempfile_is_learnt_where_it_was_used() -> None:
    """The names come from one run of tempfile.mkdtemp, mkstemp, and a file in the folder."""
    assert values(
        "/tmp/mjflj3l9", "/tmp/tmplymdppc8", "/tmp/tmplymd_pc8/x", "/tmp/tmplymd_pc8"
    ) == ["tempfile"]
    assert values("/tmp/mjflj3l9", "/tmp/tmplymdppc8.csv") == [
        "/tmp/????????",
        "/tmp/tmp????????.csv",
    ]


def test_a_pattern_of_siblings_takes_more_in() -> None:
    assert siblings(["thumb-erin*.png", "thumb-bob7.png"]) == {
        "thumb-*.png": ["thumb-bob7.png", "thumb-erin*.png"]
    }
    assert siblings(["tmp????????.csv", "tmp-x.csv"]) == {}


def test_a_name_that_is_made_of_one_of_tempfile_s() -> None:
    """pikepdf writes beside the file that it overwrites, here one of NamedTemporaryFile."""
    assert values("/tmp/.pikepdf.tmp0_x2_8dj.pdfxy642j2d") == [
        "/tmp/.pikepdf.tmp????????.pdf????????"
    ]


def test_users_and_a_date_in_one_name() -> None:
    """The date is certain, and the user is not: one pattern for the users of another day."""
    assert values("/tmp/report_ann_20261124.pdf", "/tmp/report_bob_20261124.pdf") == [
        "/tmp/report_*_????????.pdf"
    ]
    three = [f"/tmp/{user}-20261124.pdf" for user in ("ann", "bob", "Carla Diaz")]
    assert values(*three) == ["/tmp/*-????????.pdf"]
    assert len(values(*three[:2])) == 2
    request = [f"/tmp/out/{kind}_{NOON.request}.json" for kind in ("order-a", "order-b")]
    assert values(*request) == [f"/tmp/out/order-*_{U}.json"]


def test_names_of_tempfile_s_with_other_prefixes_stay_apart() -> None:
    assert values("/tmp/upload-k3v9_x2q.csv", "/tmp/job-k3v9_x2w.csv") == [
        "/tmp/job-????????.csv",
        "/tmp/upload-????????.csv",
    ]
    assert siblings(["a.csv.????????", "b.csv.????????"]) == {}


def test_names_of_npm_s_tmp() -> None:
    """`tmp-PID-` and twelve letters and digits. The second name makes it a pattern."""
    first, second = "/tmp/tmp-28139-sf17a0uubDkH", "/tmp/tmp-28691-kZmQSEoTTycc"
    assert shape(first) == first
    assert values(first, second) == ["/tmp/tmp-*-????????????"]
    assert values(f"{first}/report.pdf", f"{second}/report.pdf") == [
        "/tmp/tmp-*-????????????/report.pdf"
    ]
    words = ["/tmp/a-InvoiceTotal", "/tmp/b-PaymentSheet"]
    assert values(*words) == words


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("/tmp/tmpk3v9x2qa.6fC2A1b9", "/tmp/tmp????????.????????"),
        ("/tmp/tmpk3v9x2qa.csv.6fC2A1b9", "/tmp/tmp????????.csv.????????"),
        ("/tmp/big_report.csv.6fC2A1b9", "/tmp/big_report.csv.????????"),
        (f"/tmp/__jinja2_{'4dc7c9ec' * 5}.cache", f"/tmp/__jinja2_{'?' * 40}.cache"),
    ],
)
def test_a_name_made_by_two_generators(path: str, pattern: str) -> None:
    """A file of tempfile that boto3 downloads to, and a hash beside a name that looks like
    tempfile's."""
    assert shape(path) == pattern
