"""Twenty inputs for each function. The policy is learnt from the first three."""

import base64
import json

COUNT = 20
LEARNT = 3
NAMES = (
    "anna bruno chiara dmitri elif farid greta henrik ilse jonas katya liam mira nils olga pavel"
    " quentin rosa sven tariq"
).split()
WORDS = "beach walk river night tower garden market bridge winter harbour".split()


def _names(number):
    """Two words, in a combination that no other input has."""
    return WORDS[number % 10], WORDS[(number * 3 + number // 10 + 1) % 10]


def pictures():
    """The keys of the pictures."""
    return [f"2026/{n % 12 + 1:02}/{'-'.join(_names(n))}.png" for n in range(COUNT)]


def _request(method, path, body=b"", kind="application/json"):
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": kind, "host": "shop.example", "content-length": str(len(body))},
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def _upload(number):
    if number % 7 == 6:
        return _request("GET", f"/files/{NAMES[number]}")
    # starlette writes a file of more than a megabyte to disk.
    size = 1_200_000 if number % 4 == 1 else 100 * number
    head = (
        "--limit\r\nContent-Disposition: form-data; name=file;"
        f' filename="{NAMES[number]}-{"-".join(_names(number))}.bin"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head.encode() + bytes([65 + number]) * size + b"\r\n--limit--\r\n"
    return _request("POST", "/files", body, "multipart/form-data; boundary=limit")


def _sheet(number):
    regions = ("north", "south", "east", "west")
    sales = [{"region": regions[(number + n) % 4], "amount": 10 * n + number} for n in range(12)]
    return {"sales": sales}


def _texts(number):
    return {f"{word}.txt": f"{word} {number}\n" * (n + 1) for n, word in enumerate(_names(number))}


def _order(number):
    return {
        "customer": NAMES[number],
        "currency": ("EUR", "USD", "GBP", "SEK", "CHF")[number % 5],
        "items": {"pen": number + 1, ("paper", "ink", "lamp")[number % 3]: 2},
    }


def _refund(number):
    event = {"order": f"A{number}", "paid": {f"A{number}": number * 9}}
    if number % 3 == 1:
        event = {"order": f"A{number}", "paid": {}, "logged": number % 2 == 0}
    return event


def inputs(name):
    """The twenty inputs of the function `name`, in order."""
    keys = pictures()
    make = {
        "uploads": _upload,
        "sheets": _sheet,
        "thumbnails": lambda n: {"key": keys[n], "size": 16 + n},
        "invoices": lambda n: {
            "number": f"{2026 + n // 12}-{1000 + 37 * n}",
            "customer": NAMES[n],
            "lines": [{"what": word, "price": 3.5 * (n + 1)} for word in _names(n)],
        },
        "ledger": lambda n: {
            "month": f"{2024 + n // 12}-{n % 12 + 1:02}",
            "entries": [[name, (n + at) * 100] for at, name in enumerate(NAMES[: n + 2])],
        },
        "charts": lambda n: {
            "title": " ".join(_names(n)),
            "values": [(n * at * 7) % 23 for at in range(30)],
        },
        "forecast": lambda n: {
            "model": ("demand", "price")[n % 2],
            "features": [n / 20, (n * 7 % 20) / 20],
        },
        "history": lambda n: {"texts": _texts(n)},
        "bundles": lambda n: {"texts": _texts(n)},
        "orders": _order,
        "refunds": _refund,
        "waits": lambda n: {"milliseconds": n * 5 % 30},
    }[name]
    return json.loads(json.dumps([make(number) for number in range(COUNT)]))
