"""Does what the module of this name in New Relic's layer does: it starts the agent, and loads the
handler that the function's configuration names elsewhere."""

import os
from importlib import import_module

import newrelic.agent

newrelic.agent.initialize()

from newrelic_lambda.lambda_handler import lambda_handler  # noqa: E402 - after the agent

module, _, name = os.environ["NEW_RELIC_LAMBDA_HANDLER"].rpartition(".")
handler = lambda_handler()(getattr(import_module(module.replace("/", ".")), name))
