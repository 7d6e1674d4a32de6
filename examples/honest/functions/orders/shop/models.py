"""The data of an order."""

import json
from dataclasses import dataclass
from importlib import resources


@dataclass
class Order:
    customer: str
    currency: str
    items: dict

    @property
    def total(self):
        prices = json.loads(resources.files("shop").joinpath("prices.json").read_text())
        return sum(prices[item] * count for item, count in self.items.items())
