"""Makes a picture of half the size of every PNG that arrives in a bucket."""

import boto3
import png
import tintbox

s3 = boto3.client("s3")


def handler(event, context):
    record = event["Records"][0]["s3"]
    bucket, key = record["bucket"]["name"], record["object"]["key"]
    picture = png.decode(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    small = png.halve(picture)
    target = f"thumbnails/{key}"
    s3.put_object(Bucket=bucket, Key=target, Body=png.encode(small), ContentType="image/png")
    return {
        "bucket": bucket,
        "key": target,
        "width": small.width,
        "height": small.height,
        "tint": tintbox.average(small.rows),
    }
