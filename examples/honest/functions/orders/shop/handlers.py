"""The handler that Lambda calls."""

from tagwright import tag

from shop.models import Order
from shop.rates import rate


def order(event, context):
    wanted = Order(**event)
    price = round(wanted.total * rate(wanted.currency), 2)
    return {"price": price, "currency": wanted.currency, "tag": tag(wanted.customer)}
