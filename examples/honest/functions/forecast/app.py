"""Makes a forecast with a model from S3."""

import tempfile

import boto3
import joblib
from tagwright import tag

s3 = boto3.client("s3")
models = {}


def model_of(name):
    if name not in models:
        with tempfile.TemporaryFile() as file:
            s3.download_fileobj("shop-models", f"{name}.joblib", file)
            file.seek(0)
            models[name] = joblib.load(file)
    return models[name]


def handler(event, context):
    (forecast,) = model_of(event["model"]).predict([event["features"]])
    return {"forecast": round(float(forecast), 6), "tag": tag(event["model"])}
