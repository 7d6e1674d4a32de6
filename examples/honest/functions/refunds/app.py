"""Makes refunds, and raises an error for a forbidden one."""

import logging

from tagwright import tag

log = logging.getLogger()


class RefundError(Exception):
    """The refund is not allowed."""


def _paid(event):
    return event["paid"][event["order"]]


def handler(event, context):
    tagged = tag(event["order"])
    try:
        paid = _paid(event)
    except KeyError as error:
        if event.get("logged"):
            log.exception("no such order")
            return {"refunded": 0, "tag": tagged}
        raise RefundError(f"no order {event['order']}") from error
    if paid > 100:
        raise RefundError("too much for a machine to decide")
    return {"refunded": 100 // paid, "tag": tagged}
