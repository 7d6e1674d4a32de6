"""Attach and detach as functions on configurations: detach restores whatever configuration there
was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fshield.fleet.api.configuration import LAUNCHER, WRAPPER, Function, function_of
from fshield.fleet.plan import Change, Refused, Wanted, attach, detach

_LAYERS = "arn:aws:lambda:eu-central-1:123456789012:layer:"
NAMES = (
    "otel",
    "datadog",
    "function-shield-x86_64",
    "function-shield-arm64",
    "function-shield-policies",
    "acme-guard",
    "acme-rules",
)
VARIABLES = (
    WRAPPER,
    "FUNCTION_SHIELD_POLICY",
    "FUNCTION_SHIELD_MODE",
    "FUNCTION_SHIELD_NEXT_WRAPPER",
    "FUNCTION_SHIELD_EVENTS",
    "FUNCTION_SHIELD_RESTORE",
    "TABLE",
    "SECRET",
)
layers = st.lists(st.sampled_from(NAMES), unique=True, max_size=4).flatmap(
    lambda names: st.tuples(
        *[st.builds(f"{_LAYERS}{name}:{{}}".format, st.integers(1, 9)) for name in names]
    )
)
variables = st.dictionaries(
    st.sampled_from(VARIABLES),
    st.sampled_from(["", "alert", "off", "/opt/otel", LAUNCHER, "payments", '{"names":["otel"]}']),
)
engines = st.sampled_from(["function-shield-x86_64:7", "acme-guard:7"])
policy_layers = st.sampled_from([(), ("acme-rules:2",), ("function-shield-policies:2",)])


def function(
    layers: tuple[str, ...] = (), variables: dict[str, str] | None = None, **more: Any
) -> Function:
    answer: dict[str, Any] = {
        "FunctionName": "f",
        "FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:f",
        "Runtime": "python3.13",
        "Layers": [{"Arn": arn} for arn in layers],
        "RevisionId": "r",
        **more,
    }
    if variables:
        answer["Environment"] = {"Variables": variables}
    return function_of(answer)


def wanted(
    engine: str = "function-shield-x86_64:7",
    policies: tuple[str, ...] = (),
    policy: str = "monitor",
) -> Wanted:
    return Wanted({"x86_64": _LAYERS + engine}, policy, tuple(_LAYERS + each for each in policies))


def after(change: Change) -> Function:
    return function(change.layers, dict(change.variables))


@given(layers, variables, engines, policy_layers, engines, policy_layers)
@settings(max_examples=1500, deadline=None)
def test_detach_gives_back_what_attach_found(
    had: tuple[str, ...],
    configured: dict[str, str],
    engine: str,
    policies: tuple[str, ...],
    later_engine: str,
    later_policies: tuple[str, ...],
) -> None:
    before = function(had, configured)
    try:
        attached = after(attach(before, wanted(engine, policies)))
    except Refused as error:
        assert "layers already" in error.reason or "bytes" in error.reason
        return
    assert attached.guarded
    assert attached.variables["FUNCTION_SHIELD_POLICY"] == "monitor"
    assert (
        not before.guarded
        or "FUNCTION_SHIELD_MODE" in attached.variables
        or "FUNCTION_SHIELD_MODE" not in configured
    )
    assert attach(attached, wanted(engine, policies)).empty, "a second attach must change nothing"
    given_back = after(detach(attached))
    # Except for FUNCTION_SHIELD_RESTORE, a record that nothing reads. If the function was guarded
    # before, the result equals that of a detach before attach.
    start = after(detach(before)) if before.guarded else before
    expected = {
        name: value for name, value in start.variables.items() if name != "FUNCTION_SHIELD_RESTORE"
    }
    assert (given_back.layers, dict(given_back.variables)) == (start.layers, expected)
    assert given_back.guarded or detach(given_back).empty, (
        "a second detach must keep what attach had found"
    )
    try:
        upgraded = after(attach(attached, wanted(later_engine, later_policies, "strict")))
    except Refused as error:
        assert "layers already" in error.reason or "bytes" in error.reason
        return
    if not later_policies:
        assert {_LAYERS + each for each in policies} <= {*upgraded.layers}, (
            "the upgrade must keep a policy layer"
        )
    assert len(upgraded.layers) == len({*upgraded.layers})
    given_back = after(detach(upgraded))
    assert (given_back.layers, dict(given_back.variables)) == (start.layers, expected)


@pytest.mark.parametrize("policies", ["function-shield-policies:1", "acme-rules:2"])
@pytest.mark.parametrize("engines", [(7, 8), ("acme", 8), (7, "acme"), ("acme", "acme")])
def test_a_policy_layer_of_any_name_stays(policies: str, engines: tuple[object, object]) -> None:
    first, second = (
        "acme-guard:1" if each == "acme" else f"function-shield-x86_64:{each}" for each in engines
    )
    attached = after(attach(function((_LAYERS + "otel:1",), {}), wanted(first, (policies,))))
    upgraded = attach(attached, wanted(second, (), "strict"))
    assert [arn.removeprefix(_LAYERS) for arn in upgraded.layers] == ["otel:1", second, policies]
    assert after(detach(after(upgraded))).layers == (_LAYERS + "otel:1",)


def test_the_usual_case_needs_no_record() -> None:
    change = attach(function((_LAYERS + "otel:1",), {WRAPPER: "/opt/otel", "TABLE": "t"}), wanted())
    assert dict(change.variables) == {
        WRAPPER: LAUNCHER,
        "FUNCTION_SHIELD_NEXT_WRAPPER": "/opt/otel",
        "FUNCTION_SHIELD_POLICY": "monitor",
        "TABLE": "t",
    }
    assert change.layers == (_LAYERS + "otel:1", _LAYERS + "function-shield-x86_64:7")


def test_the_engine_comes_last_and_policies_after_it() -> None:
    had = (
        _LAYERS + "function-shield-policies:1",
        _LAYERS + "function-shield-x86_64:3",
        _LAYERS + "otel:1",
    )
    change = attach(function(had, {WRAPPER: LAUNCHER}), wanted())
    assert [arn.removeprefix(_LAYERS) for arn in change.layers] == [
        "otel:1",
        "function-shield-x86_64:7",
        "function-shield-policies:1",
    ]


def test_no_value_of_a_variable_that_is_not_ours_is_shown() -> None:
    change = attach(function((), {"API_KEY": "hunter2"}), wanted())
    assert "hunter2" not in "\n".join(change.lines())
    assert "hunter2" not in repr(change.function)


def test_a_request_names_what_changes_and_nothing_else() -> None:
    attached = after(attach(function((), {"A": "b"}), wanted()))
    request = attach(attached, wanted(policy="strict")).request()
    assert set(request) == {"FunctionName", "RevisionId", "Environment"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            {"Environment": {"Error": {"ErrorCode": "AccessDenied", "Message": "kms"}}},
            "would erase them",
        ),
        ({"Architectures": ["arm64"]}, "it runs on arm64"),
        ({"Layers": [{"Arn": f"{_LAYERS}l{n}:1"} for n in range(5)]}, "has 5 layers already"),
        ({"Environment": {"Variables": {"BIG": "x" * 4050}}}, "Lambda permits 4096"),
        ({"Runtime": "provided.al2023"}, "OS-only"),
        ({"Runtime": "python3.7"}, "Amazon Linux 1"),
        ({"Runtime": "cobol1"}, "not known"),
        ({"PackageType": "Image", "Runtime": None}, "container image"),
    ],
)
def test_what_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(Refused) as raised:
        attach(function(**more), wanted())
    assert message in raised.value.reason
    assert raised.value.fix


def test_detach_refuses_where_it_would_erase_variables() -> None:
    unreadable: dict[str, Any] = {
        "Environment": {"Error": {"ErrorCode": "AccessDenied", "Message": "kms"}}
    }
    with pytest.raises(Refused):
        detach(function((_LAYERS + "function-shield-x86_64:7",), **unreadable))


@pytest.mark.parametrize(
    ("wrapper", "message"),
    [
        ("/opt/bootstrap", "is Lambda Web Adapter: its program takes the runtime's place"),
        ("/opt/datadog_wrapper", "is Datadog"),
        ("/opt/acme", "is not a wrapper that this fshield knows"),
    ],
)
def test_another_tools_wrapper_is_kept_and_named(wrapper: str, message: str) -> None:
    found = attach(function(variables={WRAPPER: wrapper}), wanted())
    assert found.request()["Environment"]["Variables"]["FUNCTION_SHIELD_NEXT_WRAPPER"] == wrapper
    assert message in "; ".join(found.notes)
