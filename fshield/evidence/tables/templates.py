"""What the templates of lines mean, as the reader of events says it.

A template is a line with holes. Its holes are filled with random values, and the line is read: only
where each value comes back under its key, and the line is one whole event, does the template mean
for all of its lines what it means for this one. Nobody who writes lines can know the values.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from fshield.evidence.events import decode, normalised
from fshield.evidence.stream import Record
from fshield.evidence.tables.apart import HOLE
from fshield.evidence.tables.rows import Row, Stamp, row_of

_NOTHING = Stamp()
_MISSING = object()


def meaning(template: str) -> Row | None:
    """The row of one line of `template`, less what its holes say; None where lines of this template
    must be read one by one."""
    parts = template.split(HOLE)
    number, token = secrets.randbelow(1 << 40), secrets.token_hex(8)
    moment = f"2001-02-03T04:05:06.{number % 1000000:06}Z"
    tail = f',"pid":{number},"nonce":"{token}","seq":{number + 1}'
    lost = f',"lost":{number + 2}'
    expected: dict[str, Any] = {
        "timestamp": moment,
        "pid": number,
        "nonce": token,
        "seq": number + 1,
    }
    if len(parts) == 3:
        text = parts[0] + moment + parts[1]
    elif len(parts) == 6 and parts[3] in ("n", "s"):
        request = None if parts[3] == "n" else token[::-1]
        details = {token: number}
        message = f"m{token}"
        expected |= {"requestId": request, "details": details, "message": message}
        text = (
            f'{parts[0]}{moment}{parts[1]},"message":"{message}"{parts[2]},"details":'
            f'{json.dumps(details)},"requestId":{json.dumps(request)}{parts[4]}'
        )
    else:
        return None
    raw = _read(f"{text}{tail}}}", expected)
    if raw is None or "lost" in raw:
        return None
    if _read(f"{text}{tail}{lost}}}", {**expected, "lost": number + 2}) is None:
        return None
    event = normalised(raw)
    if event["event_version"] > 1 or (len(parts) == 6) != (
        event["event"] in ("violation", "allowed")
    ):
        return None
    if len(parts) == 3 and (event["details"] or event.get("requestId")):
        return None
    event["details"], event["lost"], event["requestId"] = {}, 0, None
    return row_of(Record(event, "", 0, None, event.get("function") or "", None), "", "", _NOTHING)


def _read(text: str, expected: dict[str, Any]) -> dict[str, Any] | None:
    """The event that is all of `text`; None where it is none, or has not what is expected."""
    found = decode(text)
    if found is None or found[1] != len(text) or "class_uid" in found[0]:
        return None
    raw = found[0]
    if raw.get("function_shield") is not True:
        return None
    return raw if all(raw.get(key, _MISSING) == value for key, value in expected.items()) else None
