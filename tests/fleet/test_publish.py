"""publish: both architectures, several regions, how a version describes itself, and which versions
are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from fshield.engine.package import package
from tests import support
from tests.fleet.command import fshield
from tests.fleet.functions import ENGINE, POLICIES, Fleet
from tests.fleet.stand_in import REGION, StandIn

DIST = support.ROOT / "dist"


@pytest.fixture
def bare(stand_in: StandIn) -> Fleet:
    """A stand-in without layers."""
    return Fleet(stand_in)


def test_what_was_published_can_be_attached(stand_in: StandIn, bare: Fleet) -> None:
    ran = fshield(
        stand_in, "publish", "--dist", str(DIST), "--organization-id", "o-abcdefghij", "--json"
    )
    assert ran.code == 0, ran.out + ran.err
    assert [each["fresh"] for each in ran.json["layers"]] == [True, True]
    for each in ran.json["layers"]:
        version = bare.client.get_layer_version(LayerName=each["layer"], VersionNumber=1)
        assert version["CompatibleArchitectures"] == [each["architecture"]]
        for policy in POLICIES:
            assert policy in version["Description"]
    for permission in stand_in.permissions:
        assert permission["OrganizationId"] == "o-abcdefghij"
        assert (permission["Principal"], permission["Action"]) == ("*", "lambda:GetLayerVersion")
    assert len(stand_in.permissions) == 2
    assert ran.json["layer_arn"] == [f"--region {REGION} --layer-arn '{ENGINE}'"]
    bare.function("f")
    assert fshield(stand_in, "attach", "f", "--layer-arn", ENGINE, "--policy", "strict").code == 0

    again = fshield(
        stand_in, "publish", "--dist", str(DIST), "--organization-id", "o-abcdefghij", "--json"
    )
    assert again.code == 0, again.out + again.err
    assert [each["fresh"] for each in again.json["layers"]] == [False, False]


def test_a_policy_layer_and_the_policy_in_it(
    stand_in: StandIn, fleet: Fleet, tmp_path: Path
) -> None:
    (tmp_path / "payments.yaml").write_text("version: 1\npolicy: {outbound_connectivity: alert}\n")
    archive = tmp_path / "policies.zip"
    archive.write_bytes(package(tmp_path)[0])
    ran = fshield(stand_in, "publish", "--policies", str(archive), "--json")
    assert ran.code == 0, ran.out + ran.err
    arn = ran.json["layers"][0]["arn"]
    fleet.function("f")
    refused = fshield(stand_in, "attach", "f", "--layer-arn", ENGINE, "--policy", "payments")
    assert refused.code == 2
    assert "does not start" in refused.err
    with_it = (
        "attach",
        "f",
        "--layer-arn",
        ENGINE,
        "--policy",
        "payments",
        "--policy-layer-arn",
        arn,
    )
    assert fshield(stand_in, *with_it).code == 0
    assert fleet.layers("f") == ["function-shield-x86_64", "function-shield-policies"]
    assert fshield(stand_in, "detach", "f").code == 0
    assert fleet.layers("f") == []


def test_several_regions(stand_in: StandIn, bare: Fleet) -> None:
    regions = ("--region", "us-east-1", "--region", REGION)
    ran = fshield(stand_in, "publish", "--dist", str(DIST), *regions, "--json")
    assert ran.code == 0, ran.out + ran.err
    assert [each["region"] for each in ran.json["layers"]] == [
        "us-east-1",
        "us-east-1",
        REGION,
        REGION,
    ]
    assert len(ran.json["layer_arn"]) == 2


def test_keep_deletes_neither_what_is_used_nor_what_is_not_ours(
    stand_in: StandIn, bare: Fleet
) -> None:
    name = "function-shield-x86_64"
    for number in range(4):
        bare.layer(
            name, f"FunctionShield, open 0.0.{number} (x86_64); policies: monitor", ("x86_64",)
        )
    bare.layer(name, "somebody else's", ("x86_64",))
    bare.function("f", Layers=[ENGINE.replace("{arch}", "x86_64")])
    ran = fshield(stand_in, "publish", "--dist", str(DIST), "--keep", "2", "--json")
    assert ran.code == 0, ran.out + ran.err
    left = {
        version["Version"]
        for version in bare.client.list_layer_versions(LayerName=name)["LayerVersions"]
    }
    assert left == {1, 4, 5, 6}, "1 is in use, 5 is not ours, 4 and 6 are the newest two"
    assert ran.json["layers"][0]["kept"] == ["1: in use"]


def test_denied_in_one_place_is_said_and_the_rest_is_published(
    stand_in: StandIn, bare: Fleet
) -> None:
    stand_in.orders.denied = {"PublishLayerVersion"}
    ran = fshield(stand_in, "publish", "--dist", str(DIST))
    assert ran.code == 2
    assert ran.out.count("iam-policy COMMAND") == 2
    stand_in.orders.denied = set()
    assert fshield(stand_in, "publish", "--dist", str(DIST), "--dry-run").code == 0
    assert bare.client.list_layers()["Layers"] == []
