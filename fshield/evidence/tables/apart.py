"""The SQL that makes the table of lines of a log.

The engine writes a line in one way only, so SQL takes it apart at fixed marks. What varies from
line to line (time, request, message, object, number) are holes; the rest is the line's template.
There are few templates, and `fshield.evidence.tables.templates` asks the reader of events what each
means. A line that is not written in this way is left to that reader as a whole. So the table is the
reader's, and SQL never has an opinion on JSON.

This is done in two steps. `cut` runs for every line, so it is cheap: it cuts out what is the
line's own. `meant` needs nothing but the rest, which many lines share, so DuckDB runs it once for
each different rest.
"""

from __future__ import annotations

from fshield.evidence.events import MAX_LINE

#: Stands for a hole in a template. No line with it is taken apart: the reader of CSV ends a column
#: there, and refuses the file.
HOLE = "\x01"
START = '{"function_shield":true,"event":"'
#: How most lines begin, up to their time.
ACT = f'{START}violation","event_version":1,"timestamp":"'
ALLOWED = f'{START}allowed","event_version":1,"timestamp":"'
_PLAIN = r"[\x20\x21\x23-\x5b\x5d-\x7e]*"
TEXT = f'"{_PLAIN}"'
_MAYBE = f"(null|{TEXT})"
#: What would have let the act pass says nothing that rule and details do not: it is in no template.
_ENTRY = f',"entry":{TEXT}$'
#: Behind the request's id; no column has it.
_TENANT = f',"tenantId":{TEXT}$'
#: An object as the engine writes it, without anything escaped in it.
DETAILS = (
    rf'\{{"host":{_MAYBE},"ip":{_MAYBE},"port":(null|0|[1-9][0-9]{{0,17}}),"protocol":{_MAYBE}'
    rf'(,"first_bytes":{TEXT})?(,"connected_as":{TEXT})?\}}'
    rf'|\{{"path":{_MAYBE}(,"arguments":{_MAYBE})?(,"operation":{TEXT})?(,"to":{TEXT})?\}}'
)
MOMENT = "20[0-9]{2}-[0-1][0-9]-[0-3][0-9](T[01][0-9]|T2[0-3]):[0-5][0-9]:[0-5][0-9][.][0-9]{6}Z"
PID = "(0|[1-9][0-9]{0,17})"
TAIL = rf',"pid":{PID},"nonce":"([0-9a-f]{{16}})","seq":{PID}(,"lost":([1-9][0-9]{{0,17}}))?\}}\r?'
#: `TAIL` is within so many characters before a line's last.
_ENDING = 119
#: A request's id and the tenant's are within so many, with the mark behind them.
_ASKING = 384
#: The end of a line that says nothing of others, and whose number can be squared.
COUNTABLE = r',"pid":(0|[1-9][0-9]{0,17}),"nonce":"([0-9a-f]{16})","seq":(0|[1-9][0-9]{0,6})\}\r?'
#: The id of a request.
ID = "[A-Za-z0-9-]{1,64}"
_ASKED_BY = f'null|"{ID}"'
WORD = "function_shield"


# `text` is the line where it begins with an event, or what is behind its time.
PLACED = f"""
    SELECT *, CASE
        WHEN starts_with(line, '{START}') THEN line
        WHEN strpos(line, '{WORD}') = strpos(line, '{START}') + 2
            AND NOT contains(line, 'logGroup')
            THEN substr(line, strpos(line, '{START}'))
        ELSE '' END AS text
    FROM lines
"""


def cut(placed: str) -> str:
    """Lines of `placed` cut at what every line has of its own: moment, request, tail. What is
    between them (`head`, `body`, `asked`, `origin`) few lines have alone. `whole`: the line can be
    cut, and its own parts are what the engine writes.

    A mark is looked for where the engine writes it, and not in all of the line. Where another
    stands before it, that one is in `body` or `origin`, and so in the template."""
    return f"""
        SELECT *, coalesce(cuttable AND clock IS NOT NULL
            AND regexp_full_match(moment, '{MOMENT}')
            AND regexp_full_match(tail, '{TAIL}')
            AND (NOT is_act OR regexp_full_match(request, '{_ASKED_BY}')), false) AS whole
        FROM (
            SELECT *, TRY_CAST(moment AS TIMESTAMP) AS clock,
                CASE WHEN contains(asking, 'tenantId')
                    THEN regexp_replace(asking, '{_TENANT}', '') ELSE asking END AS request
            FROM (
                SELECT *,
                    substr(text, 1, at_time + 12) AS head,
                    substr(text, at_time + 40, at_end - at_time - 40) AS body,
                    CASE WHEN is_act THEN substr(text, at_request + 13, 1) ELSE '' END AS asked,
                    substr(text, at_ring, CASE WHEN is_act THEN at_pid - at_ring ELSE 0 END)
                        AS origin,
                    substr(text, at_time + 13, 27) AS moment,
                    substr(text, at_request + 13, at_ring - at_request - 13) AS asking,
                    substr(text, at_pid) AS tail
                FROM (
                    SELECT *, CASE WHEN is_act THEN at_request ELSE at_pid END AS at_end,
                        strlen(text) <= {MAX_LINE} AND 0 < at_time AND at_time < at_pid
                        AND 0 < at_ending
                        AND (NOT is_act OR (at_time < at_request AND at_request + 13 < at_ring
                            AND at_ring < at_pid
                            AND substr(text, at_request, 13) = ',"requestId":')) AS cuttable
                    FROM (
                        SELECT *, size - {_ENDING + 1} + at_ending AS at_pid,
                            at_request + 12 + strpos(behind, ',"ring":"') AS at_ring
                        FROM (
                            SELECT *,
                                strpos(substr(text, size - {_ENDING}), ',"pid":') AS at_ending,
                                substr(text, at_request + 13, {_ASKING}) AS behind
                            FROM (
                                SELECT *,
                                    CASE WHEN length(text) <= {_ENDING} THEN {_ENDING + 1}
                                        ELSE length(text) END AS size,
                                    starts_with(text, '{START}violation"')
                                        OR starts_with(text, '{START}allowed"') AS is_act,
                                    CASE WHEN starts_with(text, '{ACT}') THEN {len(ACT) - 12}
                                        ELSE strpos(text, '"timestamp":"') END AS at_time,
                                    strpos(text, 'Id":') - 9 AS at_request
                                FROM ({placed})
                            )
                        )
                    )
                )
            )
        )
    """


def meant(cut: str) -> str:
    """What is between the own parts of lines of `cut`: their template, and their object.
    `formed`: message and object are what the engine writes. Nothing in it differs between lines
    whose `head`, `body`, `asked` and `origin` are alike."""
    return f"""
        SELECT *, coalesce(template IS NOT NULL
            AND (asked = '' OR (regexp_full_match(message, '{TEXT}')
                AND regexp_full_match(details, '{DETAILS}'))), false) AS formed
        FROM (
            SELECT *,
                CASE
                    WHEN asked = '' THEN concat(head, '{HOLE}', body, '{HOLE}')
                    WHEN marked
                        THEN concat(head, '{HOLE}', substr(body, 1, at_message - 1), '{HOLE}',
                            CASE WHEN contains(decided, '"entry":"')
                                THEN regexp_replace(decided, '{_ENTRY}', '') ELSE decided END,
                            '{HOLE}', CASE WHEN asked = 'n' THEN 'n' ELSE 's' END,
                            '{HOLE}', origin, '{HOLE}')
                END AS template,
                CASE WHEN marked
                    THEN substr(body, at_message + 11, at_policy - at_message - 11) END AS message,
                CASE WHEN marked THEN substr(body, at_details + 11) END AS details
            FROM (
                SELECT *, substr(body, at_policy, at_details - at_policy) AS decided,
                    asked != '' AND NOT contains(head, ',"message":"')
                        AND NOT contains(head, ',"policy":"')
                        AND NOT contains(head, ',"details":{{')
                        AND 0 < at_message AND at_message < at_policy AND at_policy < at_details
                        AS marked
                FROM (
                    SELECT *,
                        strpos(body, ',"message":"') AS at_message,
                        strpos(body, ',"policy":"') AS at_policy,
                        strpos(body, ',"details":{{') AS at_details
                    FROM ({cut})
                )
            )
        )
    """


#: Every line of `lines` with its parts, and whether they are what the engine writes.
APART = f"SELECT *, whole AND formed AS good FROM ({meant(cut(PLACED))})"

# The parts of a `tail` that is what the engine writes.
AT_NONCE = """(strpos(tail, ',"nonce":"') + 10)"""
NONCE = f"substr(tail, {AT_NONCE}, 16)"
SEQ = """regexp_extract(tail, '"seq":([0-9]+)', 1)"""
