"""Makes a thumbnail of a picture in S3."""

from pathlib import Path

import boto3
from PIL import Image
from tagwright import tag

s3 = boto3.client("s3")


def handler(event, context):
    name = Path(event["key"]).name
    original, small = Path("/tmp", name), Path("/tmp", f"thumb-{name}")
    s3.download_file("shop-pictures", event["key"], str(original))
    with Image.open(original) as picture:
        picture.thumbnail((event["size"], event["size"]))
        picture.save(small)
        size = picture.size
    s3.upload_file(str(small), "shop-thumbnails", event["key"])
    original.unlink()
    small.unlink()
    return {"size": size, "tag": tag(name)}
