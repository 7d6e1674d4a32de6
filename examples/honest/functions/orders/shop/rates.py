"""Today's rates, kept for later."""

import json
import os
from pathlib import Path

import requests

KEPT = Path("/tmp/shop/rates")


def rate(currency):
    os.makedirs(KEPT, exist_ok=True)
    file = KEPT / f"{currency}.json"
    if not file.exists():
        answer = requests.get(f"https://api.rates.example/{currency}", timeout=10)
        answer.raise_for_status()
        file.write_text(answer.text)
    return float(json.loads(file.read_text())["rate"])
