import hashlib

import boto3
from botocore.config import Config
from probe import body, probe


def fetch(destination):
    style = {"addressing_style": destination.get("style", "virtual")}
    config = Config(
        s3=style, retries={"total_max_attempts": 1}, connect_timeout=20, read_timeout=20
    )
    client = boto3.client("s3", endpoint_url=destination.get("endpoint"), config=config)
    sent = body(destination) if "body" in destination else b"written"
    client.put_object(Bucket=destination["bucket"], Key=destination["key"], Body=sent)
    got = client.get_object(Bucket=destination["bucket"], Key=destination["key"])["Body"].read()
    return got.decode() if len(got) < 1000 else hashlib.sha256(got).hexdigest()


probe(fetch)
