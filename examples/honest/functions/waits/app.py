"""Waits for another process, and does nothing else."""

import time

from tagwright import tag


def handler(event, context):
    time.sleep(event["milliseconds"] / 1000)
    return {"waited": event["milliseconds"], "tag": tag("waited")}
