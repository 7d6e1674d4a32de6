"""A report with a policy: unused entries, expired entries, and entries for some packages."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from fshield.cli.app import app
from tests.fshield.recorded import Log, stack
from tests.fshield.reports import Page, busy, report

POLICY = """version: 1
policy:
  outbound_connectivity:
    allow:
      - host: feed.weather.example
      - {host: old.partner.example, reason: the old partner, expires: 2026-01-31}
      - host: api.rates.example
  read_write_tmp: {mode: block, allow: ["/tmp/cache/**"]}
events: {allowed: first}
"""


def test_the_functions_region_and_variables(tmp_path: Path) -> None:
    """As in `replay`: by options, and by the region that events name."""
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy: {outbound_connectivity: {mode: block, allow: [{host: '${env:API}'},"
        " {aws: [sqs]}]}}\n"
    )
    log = Log().host("api.rates.example").host("sqs.eu-central-1.amazonaws.com")

    def blocked(log: Log, *options: str) -> list[str]:
        found = report(tmp_path, log, "--against", policy, *options)
        return sorted(outcome["target"].partition(".")[0] for outcome in found["against"])

    variable = ("--env", "API=api.rates.example")
    assert blocked(log) == ["api", "sqs"]
    assert blocked(log, *variable) == ["sqs"]
    assert blocked(log, "--region", "eu-central-1") == ["api"]
    assert blocked(log, *variable, "--region", "eu-central-1") == []
    done = CliRunner().invoke(
        app, ["report", "--json", "--region", "eu-centrl-1", str(tmp_path / "events.log")]
    )
    assert done.exit_code == 2 and "did you mean eu-central-1" in done.output
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:f"
    log = Log().host("sqs.eu-central-1.amazonaws.com", function_arn=arn)
    assert blocked(log) == []


def test_what_the_policy_allows_and_nobody_used(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    found = report(tmp_path, busy(), "--policy", policy)
    assert [(use["rule"], use["count"] > 0) for use in found["entries"]] == [
        ("p.yaml:5", True),
        ("p.yaml:6", False),
        ("p.yaml:7", True),
        ("p.yaml:8", False),
    ]
    out = tmp_path / "r.html"
    done = CliRunner().invoke(
        app, ["report", str(tmp_path / "events.log"), "-o", str(out), "--policy", str(policy)]
    )
    assert done.exit_code == 0, done.output
    text = Page(out.read_text()).text
    assert (
        "2 of 4 allow entries" in text
        and "old.partner.example" in text
        and "expired 2026-01-31 the old partner" in text
    )


def test_of_entries_on_one_line_each_is_counted_for_itself(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(
        "version: 1\npolicy:\n  read_write_tmp: {mode: block, allow: [/tmp/a.db, /tmp/b.db]}\n"
    )
    log = Log().add(
        "read_write_tmp",
        path="/tmp/a.db",
        event="allowed",
        mode="allow",
        rule="p.yaml:3",
        policy_name="p",
    )
    found = report(tmp_path, log, "--policy", policy)
    assert [(use["entry"], use["count"]) for use in found["entries"]] == [
        ("/tmp/a.db", 1),
        ("/tmp/b.db", 0),
    ]


def test_without_events_of_what_was_allowed_the_page_says_so(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    events = Log().host("elsewhere.example", mode="block").write(tmp_path / "events.log")
    done = CliRunner().invoke(app, ["report", str(events), "--policy", str(policy)])
    assert "run with events: {allowed: first} in the policy before you take one out" in done.stdout


def test_without_events_of_what_was_allowed_no_entry_counts_as_unused(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    log = Log().host("elsewhere.example", mode="block")
    assert report(tmp_path, log, "--policy", policy)["uses_known"] is False
    done = CliRunner().invoke(
        app, ["report", str(tmp_path / "events.log"), "--policy", str(policy)]
    )
    text = Page(done.stdout).text
    assert "whether it is used is not known" in text
    assert "used by nobody" not in text
    # Allowed acts under a policy of another name say nothing about this one.
    log.host("feed.weather.example", event="allowed", mode="allow", rule="q.yaml:5")
    assert report(tmp_path, log, "--policy", policy)["uses_known"] is False


def test_an_entry_that_expired_and_is_in_use_is_named(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    log = busy().host(
        "old.partner.example", event="allowed", mode="allow", rule="p.yaml:6", policy_name="p"
    )
    done = CliRunner().invoke(
        app,
        ["report", str(log.write(tmp_path / "events.log")), "--policy", str(policy)],
    )
    assert "1 that expired, and are in use" in Page(done.stdout).text


FOR_SOME = """version: 1
policy:
  outbound_connectivity:
    allow:
      - {host: api.stripe.com, only_for: [stripe]}
      - {host: cache.example, ports: [6379], only_for: [redis, unknown]}
"""


def for_some() -> Log:
    log = Log().host("api.stripe.com", "/var/task/stripe/api.py:3 charge", *stack(""), count=5)
    for _ in range(2):
        log.host(
            "api.stripe.com",
            *stack("tintkit"),
            mode="block",
            reason="only_for",
            asker="tintkit",
            entry_source="p.yaml:5",
            only_for="stripe",
            policy_name="p",
        )
    # asyncio looks names up in a thread. Only the connection's stack shows the caller.
    return log.host("api.stripe.com", origin=None, ring="interpreter")


def test_entries_for_some_packages_say_which_and_who_else_asked(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(FOR_SOME)
    found = report(tmp_path, for_some(), "--policy", policy, "--against", policy)
    assert [(use["only_for"], use["count"], use["others"]) for use in found["entries"]] == [
        (["stripe"], 5, {"tintkit": 2}),
        (["redis", "unknown"], 0, {}),
    ]
    sentence = "allowed for stripe; asked by tintkit"
    by = {
        touch["by"]: touch["for_others"]
        for dependency in found["dependencies"]
        for touch in dependency["touched"]
    }
    assert by["tintkit"] == sentence and set(by.values()) == {sentence, None}
    done = CliRunner().invoke(
        app, ["report", str(tmp_path / "events.log"), "--policy", str(policy)]
    )
    text = Page(done.stdout).text
    assert "Entries for some packages" in text and "2 entries with only_for" in text
    assert f"{sentence} (×2)" in text and text.count(sentence) == 2
    assert "only_for: [stripe]" not in text.partition("The policy: p.yaml")[0]


def test_without_entries_for_some_packages_the_page_has_no_table_of_them(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    events = busy().write(tmp_path / "events.log")
    done = CliRunner().invoke(app, ["report", str(events), "--policy", str(policy)])
    assert "Entries for some packages" not in Page(done.stdout).text


def test_what_another_policy_blocks_for_one_caller_is_said_with_the_caller(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(FOR_SOME)
    log = Log().host("api.stripe.com", *stack("requests"))
    (found,) = report(tmp_path, log, "--against", policy)["against"]
    assert (found["allowed_for"], found["asker"]) == (["stripe"], "requests")
    done = CliRunner().invoke(
        app, ["report", str(tmp_path / "events.log"), "--against", str(policy)]
    )
    assert "p.yaml:5: allowed for stripe; asked by requests" in Page(done.stdout).text


def test_what_another_policy_would_block(tmp_path: Path) -> None:
    policy = tmp_path / "p.yaml"
    policy.write_text(POLICY)
    found = report(tmp_path, busy(), "--against", policy)
    # An act that was blocked already is not listed, nor one that the policy allows.
    assert [each["what"] for each in found["against"]] == ["start /usr/bin/curl"]
