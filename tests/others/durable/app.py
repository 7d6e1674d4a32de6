"""A durable function: steps, a wait, and parallel branches. A wait ends the invocation. The next
invocation replays the handler, and knows from the checkpoints what is done."""

import pathlib

from aws_durable_execution_sdk_python import (
    DurableContext,
    StepContext,
    durable_execution,
    durable_step,
)
from aws_durable_execution_sdk_python.config import Duration


@durable_step
def price(step: StepContext, item: str) -> int:
    return len(item)


@durable_step
def attack(step: StepContext) -> str:
    mark = pathlib.Path("/tmp/function-shield-durable")
    try:
        mark.write_text("")
    except PermissionError:
        return "refused"
    mark.unlink()
    return "passed"


@durable_execution
def handler(event: dict, context: DurableContext) -> list:
    first = context.step(price(event["item"]))
    context.wait(Duration.from_seconds(1), name="cool-down")
    branches = [lambda each, item=item: each.step(price(item)) for item in ("a", "bb", "ccc")]
    many = context.parallel(branches).get_results()
    done = [first, many]
    if event.get("attack"):
        done.append(context.step(attack()))
    return done
