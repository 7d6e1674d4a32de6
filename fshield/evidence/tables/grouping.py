"""The SQL of groups of lines, which Athena computes: see `fshield.evidence.tables.groups`."""

from __future__ import annotations

from fshield.evidence.tables.apart import (
    APART,
    COUNTABLE,
    NONCE,
    SEQ,
)
from fshield.evidence.tables.lines import literal
from fshield.evidence.tables.rows import REQUEST, TIMELY

#: Every line of `lines` with what groups are made of, see `fshield.evidence.tables.groups`. One
#: that says that others are lost is left as it is.
_GROUPABLE = f"""
    SELECT account, region,
        CASE WHEN fit THEN '' ELSE line END AS line,
        CASE WHEN fit THEN template ELSE '' END AS template,
        CASE WHEN fit THEN coalesce(details, '') ELSE '' END AS details,
        CASE WHEN fit THEN moment ELSE '' END AS moment,
        CASE WHEN fit AND is_act AND request != 'null'
            THEN substr(request, 2, length(request) - 2) ELSE '' END AS request,
        CASE WHEN fit THEN {NONCE} ELSE '' END AS nonce,
        CASE WHEN fit THEN TRY_CAST({SEQ} AS BIGINT) ELSE 0 END AS seq
    FROM (
        SELECT *, good AND regexp_full_match(tail, '{COUNTABLE}') AS fit
        FROM ({APART})
    )
"""


def grouped(source: str) -> str:
    """The groups of lines of `source`, a relation with `line`, `account` and `region`, and the
    lines that are in none."""
    return f"""
        WITH lines AS ({source})
        SELECT account, region, line, template, details, nonce,
            min(moment) AS first, max(moment) AS last, count(*) AS events,
            min(seq) AS low, max(seq) AS high, count(DISTINCT seq) AS different,
            sum(seq) AS total, sum(seq * seq) AS squares,
            coalesce(min(nullif(request, '')), '') AS request
        FROM (
            SELECT *,
                CASE WHEN contains(details, '"/tmp') AND regexp_matches(details, '{TIMELY}')
                    THEN moment ELSE '' END AS timely,
                CASE WHEN length(request) >= {REQUEST} AND contains(details, request)
                    THEN request ELSE '' END AS named
            FROM ({_GROUPABLE})
        )
        GROUP BY account, region, line, template, details, nonce, timely, named
    """


def lines_of(source: str, processes: list[str]) -> str:
    """The lines that groups of these processes are made of."""
    names = ", ".join(map(literal, processes))
    return f"""
        WITH lines AS ({source})
        SELECT account, region, original, nonce
        FROM (
            SELECT account, region, line AS original, {NONCE} AS nonce
            FROM ({APART})
            WHERE good AND regexp_full_match(tail, '{COUNTABLE}')
        )
        WHERE nonce IN ({names})
    """
