"""Does what OpenTelemetry's layer does in its module of this name: loads the handler that the
wrapper put aside."""

import os
from importlib import import_module

from opentelemetry.instrumentation.aws_lambda import AwsLambdaInstrumentor

AwsLambdaInstrumentor().instrument()

module, _, name = os.environ["ORIG_HANDLER"].rpartition(".")
lambda_handler = getattr(import_module(module.replace("/", ".")), name)
