import boto3
from botocore.config import Config
from probe import probe


def fetch(destination):
    style = {"addressing_style": destination.get("style", "virtual")}
    config = Config(s3=style, retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=5)
    client = boto3.client("s3", endpoint_url=destination.get("endpoint"), config=config)
    client.put_object(Bucket=destination["bucket"], Key=destination["key"], Body=b"written")
    return client.get_object(Bucket=destination["bucket"], Key=destination["key"])["Body"].read().decode()


probe(fetch)
