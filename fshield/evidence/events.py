"""Reads, normalises and prints the engine's events: a structlog processor chain that every command
uses.

A log stream also contains the function's own lines, lines cut short by a kill or a full pipe,
events of newer engines, and lines forged to harm a terminal. No function here raises, whatever the
bytes.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO, cast

from fshield.evidence import ocsf

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

#: The newest event format that this reader knows. Of later ones it shows the parts that it knows.
EVENT_VERSION = 1
#: The engine writes at most 4,096 bytes a line. Longer lines are not events.
MAX_LINE = 16384
_START = b'{"function_shield":true'
_UNREADABLE = "unreadable"
_TEXT_KEYS = (
    "timestamp",
    "level",
    "message",
    "policy",
    "mode",
    "policy_mode",
    "policy_name",
    "policy_sha256",
    "rule",
    "reason",
    "only_for",
    "asker",
    "requestId",
    "tenantId",
    "ring",
    "runtime",
    "version",
    "nonce",
    "function",
    "function_arn",
)
_DETAIL_KEYS = ("host", "ip", "protocol", "path", "arguments", "operation", "to")
_COUNT_KEYS = ("pid", "seq", "lost")
_COLOURS = {
    "block": "\x1b[1;31m",
    "alert": "\x1b[1;33m",
    "refused": "\x1b[1;31m",
    "disabled": "\x1b[1;33m",
    "armed": "\x1b[32m",
}
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


@dataclass(frozen=True)
class Line:
    """One line of a log stream.

    Args:
        own: the function's own bytes, with the line end; empty if the line is only an event.
        event: the event in the line, as decoded, or None.
    """

    own: bytes
    event: dict[str, Any] | None


def read_line(line: bytes) -> Line:
    """Separate an event from the function's own output.

    If an unfinished line of the function comes before the event in the same line, it is returned in
    `own`. An event that was cut becomes one of kind ``unreadable``, which shows the rest.

    Args:
        line: one line, with or without its line end.
    """
    text = line.rstrip(b"\r\n")
    start = text.find(b"{")
    if start < 0 or b'"function_shield"' not in text or len(text) > MAX_LINE:
        return Line(line, None)
    start = max(text.find(_START), 0)
    found = decode(text[start:].decode("utf-8", "replace"), whole=True)
    if found is None:
        if text.startswith(_START, start):
            return Line(text[:start], unreadable(text[start:].decode("utf-8", "replace")))
        return Line(line, None)
    if found[0].get("function_shield") is not True:
        return Line(line, None)
    return Line(text[:start], found[0])


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


# JSON has neither NaN nor infinity. A program that writes one on makes a file that others cannot
# read.
_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=lambda _: None)


def _without_surrogates(value: Any) -> Any:
    """JSON's escapes can contain lone surrogates, which cannot be encoded."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        return {_text(key): _without_surrogates(item) for key, item in value.items()}
    return [_without_surrogates(item) for item in value] if isinstance(value, list) else value


def decode(text: str, whole: bool = False) -> tuple[dict[str, Any], int] | None:
    """The JSON object at the beginning of `text`, and its end. None if there is none. Never raises.

    Args:
        text: bounded by the caller.
        whole: only blanks may follow.
    """
    try:
        found, end = _DECODER.raw_decode(text)
        if "\\ud" in text or "\\uD" in text:
            found = _without_surrogates(found)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or (whole and text[end:].strip()):
        return None
    return found, end


def read(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The events among `lines`, normalised."""
    for line in lines:
        event = read_line(line).event
        if event is not None:
            yield normalised(event)


def split(stream: bytes) -> tuple[bytes, list[dict[str, Any]]]:
    """A stream's own bytes, untouched, and the events that were between them, normalised."""
    own = bytearray()
    events = []
    for line in _lines(stream):
        part = read_line(line)
        own += part.own
        if part.event is not None:
            events.append(normalised(part.event))
    return bytes(own), events


def _lines(stream: bytes) -> Iterator[bytes]:
    # bytes.splitlines also ends lines at a carriage return, which writers of JSON lines do not.
    start = 0
    while start < len(stream):
        end = stream.find(b"\n", start) + 1 or len(stream)
        yield stream[start:end]
        start = end


def unreadable(text: str) -> dict[str, Any]:
    """An event of kind ``unreadable`` for the beginning of one that was cut."""
    return {
        "function_shield": True,
        "event": _UNREADABLE,
        "message": "an event that was cut short: " + text[:200],
    }


def normalised(event: dict[str, Any]) -> dict[str, Any]:
    """The event, with every known key made its proper type. Unknown keys stay as they are.

    Events of PureSec's FunctionShield have no kind: they are violations. Strings hold no lone
    surrogates: they can be written as UTF-8.
    """
    if "class_uid" in event:
        event = ocsf.native(event)
    kind = _text(event.get("event")) or (
        "violation" if "policy" in event and "mode" in event else "unknown"
    )
    known: dict[str, Any] = {"function_shield": True, "event": kind}
    known["event_version"] = _count(event.get("event_version"), 0)
    known |= {
        key: None if event[key] is None else _text(event[key]) for key in _TEXT_KEYS if key in event
    }
    known |= {key: _count(event[key], 0) for key in _COUNT_KEYS if key in event}
    known["count"] = max(1, _count(event.get("count"), 1))
    details = event.get("details")
    known["details"] = _details(details) if isinstance(details, dict) else {}
    origin = event.get("origin")
    known["origin"] = _origin(origin) if isinstance(origin, dict) else None
    if "rings" in event:
        rings = event["rings"]
        known["rings"] = [_text(ring) for ring in rings] if isinstance(rings, list) else []
    return known | {key: value for key, value in event.items() if key not in known}


def _details(details: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {
        key: None if details[key] is None else _text(details[key])
        for key in _DETAIL_KEYS
        if key in details
    }
    if "port" in details:
        known["port"] = port if 0 < (port := _count(details["port"], 0)) < 1 << 16 else None
    return known | {_text(key): value for key, value in details.items() if key not in known}


def _origin(origin: dict[str, Any]) -> dict[str, Any]:
    stack = origin.get("stack")
    return {
        "distribution": _text(origin.get("distribution")),
        "version": _text(origin.get("version")),
        "file": _text(origin.get("file")),
        "line": _count(origin.get("line"), 0),
        "function": _text(origin.get("function")),
        "stack": [_text(frame) for frame in stack] if isinstance(stack, list) else [],
        "command": _text(origin.get("command")),
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return json.dumps(value)
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8", "replace")


def _count(value: object, otherwise: int) -> int:
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63
        else otherwise
    )


def harmless(text: str) -> str:
    """`text`, with everything escaped that a terminal would act on or a reader would not see:
    control characters, format characters (bidirectional overrides, zero widths), line and paragraph
    separators, lone surrogates, private and unassigned characters.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        (
            c
            if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
            else c.encode("unicode_escape").decode()
        )
        for c in text
    )


def _harmless_all(value: object) -> object:
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {harmless(str(key)): _harmless_all(item) for key, item in value.items()}
    return [_harmless_all(item) for item in value] if isinstance(value, list) else value


def origin_text(event: Mapping[str, Any], relative_to: str = "") -> str:
    """``FILE:LINE`` of the caller, or an empty string.

    Args:
        event: normalised.
        relative_to: a folder to remove from the beginning of the path.
    """
    origin = event.get("origin")
    if not origin or not origin["file"]:
        return ""
    file: str = origin["file"]
    prefix = relative_to.rstrip("/") + "/"
    if relative_to and file.startswith(prefix):
        file = file[len(prefix) :]
    return harmless(f"{file}:{origin['line']}" if origin["line"] else file)


# ---- the chain ----


def normalise(_logger: WrappedLogger, _name: str, event_dict: EventDict) -> EventDict:
    """First of the chain: turns the decoded JSON (``record``) into keys and types that the rest can
    rely on.
    """
    return normalised(event_dict["record"])


def make_harmless(_logger: WrappedLogger, _name: str, event_dict: EventDict) -> EventDict:
    """Escape what a hostile name could do to a terminal."""
    return cast("EventDict", _harmless_all(dict(event_dict)))


class HumanRenderer:
    """One compact line per event: time, what was done, the sentence, the caller, the rule, the
    count.
    """

    def __init__(self, colour: bool, indent: int = 0) -> None:
        self._colour = colour
        self._indent = " " * indent

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> str:
        kind = event["event"]
        word = event.get("mode") or kind if kind == "violation" else kind
        parts = [
            _clock(event.get("timestamp") or ""),
            self._painted(f"{word:7}", _COLOURS.get(word, "")),
            _sentence(event),
        ]
        notes = [origin_text(event), event.get("rule")]
        if event.get("tenantId"):
            notes.append(f"tenant {event['tenantId']}")
        if event.get("mode") and event.get("policy_mode") not in (None, event["mode"]):
            notes.append(f"dry run of {event['policy_mode']}")
        if event["count"] > 1 or event.get("repeats") is True:
            again = " more" if event.get("repeats") is True else ""
            notes.append(f"×{event['count']}{again}")
        if event.get("lost"):
            notes.append(f"{event['lost']} events lost")
        if event["event_version"] > EVENT_VERSION:
            notes.append(f"event version {event['event_version']}: shown as far as known")
        remark = ", ".join(note for note in notes if note)
        if remark:
            parts.append(self._painted(f"({remark})", _DIM))
        return self._indent + " ".join(part for part in parts if part)

    def _painted(self, text: str, colour: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colour and colour else text


def _sentence(event: EventDict) -> str:
    if event.get("message"):
        return str(event["message"])
    if event["event"] == "armed":
        return (
            f"policy {event.get('policy_name') or '?'}, rings"
            f" {', '.join(event.get('rings', [])) or 'none'}"
        )
    facts = [
        event.get("policy") or "",
        *(f"{key}={value}" for key, value in event["details"].items()),
    ]
    return " ".join(fact for fact in facts if fact)


def _clock(timestamp: str) -> str:
    """The time of day from an RFC 3339 timestamp, to the millisecond."""
    _, separator, rest = timestamp.partition("T")
    return rest.rstrip("Z")[:12] if separator else ""


class JsonRenderer:
    """One JSON object a line, in ASCII: as harmless for a terminal as the human form, and exact for
    programs."""

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> str:
        return json.dumps(event, ensure_ascii=True, separators=(",", ":"))


def chain(*, as_json: bool, colour: bool, indent: int = 0) -> list[Processor]:
    """The processors from a ``record`` to a line. JSON output needs no extra escaping: its own is
    exact.
    """
    if as_json:
        return [normalise, JsonRenderer()]
    return [normalise, make_harmless, HumanRenderer(colour, indent)]


class EventPrinter:
    """Prints events to a stream.

    Args:
        stream: the output.
        as_json: JSON lines instead of human ones.
        colour: None: if the stream is a terminal.
        indent: columns before each human line.
    """

    def __init__(
        self, stream: TextIO, *, as_json: bool = False, colour: bool | None = None, indent: int = 0
    ) -> None:
        import structlog  # noqa: PLC0415 - 70 ms that commands do without which print no events

        painted = stream.isatty() if colour is None else colour
        self._log = structlog.wrap_logger(
            structlog.WriteLogger(stream),
            processors=chain(as_json=as_json, colour=painted, indent=indent),
            wrapper_class=structlog.BoundLogger,
        )

    def print(self, event: dict[str, Any]) -> None:
        """Print one event, raw or normalised."""
        self._log.msg(record=event)
