"""Validates ``aws:`` entries of a policy: services, their buckets, regions and accounts."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from fshield.errors import closest, shown
from fshield.language import endpoints, variables
from fshield.language.part import Part
from fshield.language.part import text as as_text
from fshield.language.wrong import wrong

_FORM = (
    "`aws: [dynamodb, sqs]`, `aws: {s3: {buckets: [my-bucket]}}`, or `aws: true` for all domain"
    " suffixes of AWS"
)
_BUCKETS = "aws: {s3: {buckets: [my-bucket]}}"
_NO_BUCKETS = "s3 is everybody's buckets: those that may be reached must be named"
_BUCKET_FORM = (
    "3 to 63 lower-case letters, digits and `-`, or one from a variable: ${env:BUCKET_NAME}"
)
_ACCOUNT = re.compile(r"[0-9]{12}\Z")
# Suffixes of names that S3 assigns itself: aliases of access points, directory buckets.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")


def service(value: object) -> str:
    """The name of a service that has endpoints of its own. Raises PydanticCustomError."""
    name = as_text(value)
    if name in endpoints.services():
        return name
    instead = endpoints.of_customers(name)
    if instead is not None:
        raise wrong(
            f"{name} has no host of its own: each begins with what a customer chose",
            "`host:` entries",
            instead,
        )
    guess = endpoints.service_by_label(name) or closest(name, endpoints.services())
    raise wrong(
        f"{shown(name)} is not an AWS service that botocore {endpoints.DATA_VERSION} knows",
        "a service as boto3 names it: dynamodb, sqs, stepfunctions",
        f"did you mean `{guess}`?" if guess else "",
    )


def bucket(value: object) -> str:
    """The name of an S3 bucket, with its variables unchanged. Raises
    PydanticCustomError."""
    text = as_text(value)
    plain, _ = variables.taken_out(text)
    if plain.startswith(("s3://", "arn:")):
        name = re.split(r"/|:::", plain.removeprefix("s3://"))[
            -1 if plain.startswith("arn:") else 0
        ]
        raise wrong(
            f"{shown(text)} is not a bucket's name",
            _BUCKET_FORM,
            f"buckets: [{name or 'my-bucket'}]",
        )
    if "." in plain:
        raise wrong(
            f"the bucket {shown(text)} has a dot: no certificate fits its host name, and clients"
            " ask for it by path, at the endpoint of every bucket",
            _BUCKET_FORM,
            "a bucket without dots, or the alias of an access point of this one (…-s3alias)",
        )
    if plain != plain.lower():
        raise wrong(
            f"the bucket {shown(text)} cannot exist", _BUCKET_FORM, f"buckets: [{text.lower()}]"
        )
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", plain) or plain.startswith(
        _RESERVED_PREFIXES
    ):
        raise wrong(f"the bucket {shown(text)} cannot exist", _BUCKET_FORM)
    return text


def region(value: object) -> str:
    """A region that botocore knows. Raises PydanticCustomError."""
    name = as_text(value)
    if name in endpoints.regions():
        return name
    guess = closest(name, endpoints.regions())
    raise wrong(
        f"{shown(name)} is not an AWS region that botocore {endpoints.DATA_VERSION} knows",
        "a region's name: eu-central-1",
        f"did you mean `{guess}`?" if guess else "",
    )


def account(value: object) -> str:
    """An account's number. Raises PydanticCustomError."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else as_text(value)
    if not _ACCOUNT.match(text):
        padded = f'"{text:0>12}"' if text.isdigit() and 10 <= len(text) < 12 else ""
        raise wrong(f"{shown(value)} is not an AWS account", "12 digits", padded)
    return text


def _several(value: object, what: str, example: str) -> object:
    if not isinstance(value, list) or not value:
        of_one = (
            f"[{value}]"
            if isinstance(value, (str, int)) and not isinstance(value, bool)
            else example
        )
        raise wrong(f"{what} is a list with at least one element", example, of_one)
    twice = next((item for number, item in enumerate(value) if item in value[:number]), None)
    if twice is not None:
        raise wrong(
            f"{shown(twice)} stands twice in {what}", "each once", "take one of the two out"
        )
    return value


def _list_of(what: str, example: str) -> BeforeValidator:
    return BeforeValidator(lambda value: _several(value, what, example))


Bucket = Annotated[str, BeforeValidator(bucket)]
Region = Annotated[
    str, BeforeValidator(region), WithJsonSchema({"type": "string", "$comment": "region"})
]
Account = Annotated[
    str,
    BeforeValidator(account),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^[0-9]{12}$"}),
]
Service = Annotated[
    str, BeforeValidator(service), WithJsonSchema({"type": "string", "$comment": "service"})
]
Regions = Annotated[list[Region], _list_of("regions", "[eu-west-1]")]
Accounts = Annotated[list[Account], _list_of("accounts", '["123456789012"]')]


class ServiceDetail(Part):
    """One service and its limits."""

    what: ClassVar[str] = "a service under `aws`"
    buckets: Annotated[list[Bucket], _list_of("buckets", "[my-bucket]")] | None = Field(
        None, description="For s3: the buckets that may be reached, by their virtual-hosted names."
    )
    regions: Regions | None = Field(
        None, description="These regions instead of the function's own."
    )
    accounts: Accounts | None = Field(
        None,
        description=(
            "Accounts besides the function's own (AWS_ACCOUNT_ID) that may stand in host names."
        ),
    )

    @classmethod
    def expand(cls, data: object) -> object:
        return {} if data is None else data


def _list(value: list[object]) -> object:
    if not value:
        raise wrong(
            "the list of services is empty, so the entry would never match",
            _FORM,
            "aws: [dynamodb]",
        )
    if "s3" in value:
        raise wrong(_NO_BUCKETS, _BUCKETS, _BUCKETS)
    return _several(value, "aws", "[dynamodb, sqs]")


def _mapping(value: dict[str, object]) -> object:
    if not value:
        raise wrong(
            "the mapping of services is empty, so the entry would never match", _FORM, _BUCKETS
        )
    for name, detail in value.items():
        try:
            service(name)
        except PydanticCustomError as error:
            context = error.context or {}
            raise wrong(context["message"], context["allowed"], context["fix"], key=name) from None
        has_buckets = isinstance(detail, dict) and "buckets" in detail
        if name == "s3" and (
            detail is None
            or (isinstance(detail, dict) and detail.keys() <= {"regions", "accounts"})
        ):
            raise wrong(_NO_BUCKETS, _BUCKETS, _BUCKETS, key=name)
        if name != "s3" and has_buckets:
            raise wrong(f"{name} has no buckets", "regions, accounts", _BUCKETS, key=name)
    return value


def _aws(value: object) -> object:
    if value is True:
        return value
    if isinstance(value, bool) or value is None:
        raise wrong(
            "an `aws` entry that is not true allows nothing",
            _FORM,
            "take the entry out, or write `aws: true`",
        )
    if isinstance(value, list):
        return _list(value)
    if isinstance(value, dict):
        return _mapping(value)
    guess = value if isinstance(value, str) and value in endpoints.services() else ""
    raise wrong(
        f"{shown(value)} is not a value of `aws`",
        _FORM,
        f"aws: [{guess}]" if guess else "aws: true",
    )


def _kind(value: object) -> str:
    return "<all>" if value is True else "<list>" if isinstance(value, list) else "<mapping>"


Aws = Annotated[
    Annotated[Literal[True], Tag("<all>")]
    | Annotated[list[Service], Tag("<list>")]
    | Annotated[dict[str, ServiceDetail], Tag("<mapping>")],
    Discriminator(_kind),
    BeforeValidator(_aws),
]
