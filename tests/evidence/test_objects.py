"""Objects of S3 are read once into a table."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import boto3

from fshield.evidence.tables.engine import Table
from tests.evidence.test_tables import fshield
from tests.fshield.recorded import Log


def test_objects_of_s3_are_read_once(aws: str, tmp_path: Path) -> None:
    client = boto3.client("s3", endpoint_url=aws, region_name="us-east-1")
    client.create_bucket(Bucket="logs")
    body = Log().host("a.example").write(tmp_path / "events.log").read_bytes()
    client.put_object(Bucket="logs", Key="2026/a.gz", Body=gzip.compress(body))
    client.put_object(Bucket="logs", Key="other/b", Body=body)
    table = tmp_path / "t.parquet"
    words = ["--add", "--json", "--endpoint-url", aws, "--region", "us-east-1"]
    for _ in range(2):
        found = fshield("evidence", "s3://logs/2026/", "-o", table, *words)
        assert json.loads(found.stdout)["events"] == 1, found.stdout
    with Table() as whole:
        assert [row.key.host for row in whole.read([str(table)]).finish()] == ["a.example"]
        assert list(whole.logs) == ["s3://logs/2026/a.gz"]
