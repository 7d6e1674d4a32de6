"""The SQL that makes acts of a batch's lines. Lines of a kind that is known are read in one pass;
others are cut, and what they have in common is taken apart once."""

from __future__ import annotations

from fshield.evidence.tables.apart import (
    ACT,
    ALLOWED,
    ASKED_BY,
    AT_NONCE,
    CLOCK,
    HOLE,
    NUMBERS,
    PLACED,
    SEQ,
    START,
    cut,
    meant,
)

# Marks that `_VARYING` splits a line at. What begins with a rare character is found faster.
_LEVEL = 'Z","level":"'
_ASKED = 'Id":'
_RING = ',"ring":"'
_ORIGIN = _RING[5:]
_PID = '},"pid":'
# What stands before the mark of a request's id.
_BEFORE = ',"request'

# What acts of a known kind differ in. The marks of what is between are where `cut` finds them:
# each is in the line once. A split is cheap, because DuckDB does not count the characters before
# it; a pattern is not.
_VARYING = f"""
    SELECT number, line, logged, text, body, origin,
        epoch_us(TRY_CAST(moment AS TIMESTAMP)) AS happened,
        CASE WHEN starts_with(asking, '"')
            THEN substr(asking, 2, strlen(asking) - {len(_RING[:5]) + 2}) ELSE '' END AS request,
        words[4] AS nonce,
        coalesce(TRY_CAST(substr(words[7], 2, strlen(words[7]) - 2) AS BIGINT),
            TRY_CAST(trim(words[7], ':}}\r') AS BIGINT)) AS seq,
        CASE WHEN len(words) = 7 THEN 0
            ELSE TRY_CAST(trim(words[9], ':}}\r') AS BIGINT) END AS lost,
        CASE WHEN len(fronts) = 2 AND len(begins) = 2 AND len(asked) = 2 AND len(ends) = 2
            AND moment GLOB '{CLOCK}'
            AND regexp_full_match(concat(asking, tail), '({ASKED_BY}){_RING[:5]}{NUMBERS}')
            THEN concat(act, asking[1]) END AS shape
    FROM (
        SELECT *, ends[1] AS origin, ends[2] AS tail, string_split(ends[2], '"') AS words,
            begins[2] AS moment,
            CASE begins[1] WHEN '{ACT[:-13]}' THEN 'v' WHEN '{ALLOWED[:-13]}' THEN 'a' END AS act
        FROM (
            SELECT *, fronts[2] AS body, string_split(fronts[1], '"timestamp":"') AS begins,
                asked[1] AS asking, string_split(asked[2], '{_PID}') AS ends
            FROM (
                SELECT *, CASE WHEN len(halves) = 2 THEN string_split(halves[1], '{_LEVEL}')
                        END AS fronts,
                    CASE WHEN len(halves) = 2 THEN string_split(halves[2], '{_ORIGIN}')
                        END AS asked
                FROM (SELECT *, string_split(text, '{_ASKED}') AS halves FROM ({PLACED}))
            )
        )
    )
"""


#: As `_VARYING`, where no kind is known.
_UNKNOWN = f"""
    SELECT number, line, logged, text, CAST(NULL AS VARCHAR) AS shape,
        CAST(NULL AS VARCHAR) AS body, CAST(NULL AS VARCHAR) AS origin,
        CAST(NULL AS BIGINT) AS happened, CAST(NULL AS VARCHAR) AS request,
        CAST(NULL AS VARCHAR) AS nonce, CAST(NULL AS BIGINT) AS seq, CAST(NULL AS BIGINT) AS lost
    FROM ({PLACED})
"""


def placed(source: str, known: bool) -> str:
    """The lines of `source`, in their order: those of acts of `kinds` with what is their own, and
    others as they are, to be cut. `text` is what is cut; `line` only where it is another.

    A line is read once here, so this is what most of the time of a table goes to. Lines are
    numbered before the join, because it does not keep their order. DuckDB does this on one
    processor, so several lanes do it at once. The join has equalities only: before DuckDB 2, it
    would compare each line with each kind."""
    return f"""
        WITH lines AS NOT MATERIALIZED (
            SELECT *, row_number() OVER () - 1 AS number FROM ({source}))
        SELECT number, known.id AS act, happened, request, nonce, seq, lost, logged,
            CASE WHEN known.id IS NULL THEN text END AS text,
            CASE WHEN known.id IS NULL AND NOT starts_with(line, '{START}') THEN line END AS line
        FROM (
            SELECT * REPLACE (CASE WHEN happened IS NOT NULL THEN shape END AS shape)
            FROM ({_VARYING if known else _UNKNOWN})
        ) AS own LEFT JOIN kinds AS known
            ON known.shape = own.shape AND known.body = own.body AND known.origin = own.origin
    """


# DuckDB cuts `text` faster than what was cut out of it, because it knows what a column holds.
_OWN = f"""
    SELECT number, logged,
        CASE WHEN whole
            THEN concat(head, '{HOLE}', body, '{HOLE}', asked, '{HOLE}', origin) END AS common,
        epoch_us(clock) AS happened,
        CASE WHEN is_act AND request != 'null'
            THEN substr(text, at_request + 14, strlen(request) - 2) ELSE '' END AS request,
        substr(text, at_nonce, 16) AS nonce,
        coalesce(
            TRY_CAST(substr(text, at_nonce + 24, length(text) - at_nonce - 24) AS BIGINT),
            TRY_CAST({SEQ} AS BIGINT)) AS seq,
        CASE WHEN contains(tail, '"lost":')
            THEN TRY_CAST(regexp_extract(tail, '"lost":([0-9]+)', 1) AS BIGINT) ELSE 0 END AS lost
    FROM (SELECT *, at_pid + {AT_NONCE} - 1 AS at_nonce
        FROM ({cut("SELECT number, text, logged FROM placed WHERE act IS NULL")}))
"""

#: The lines of `placed` that have no act yet, with their number, and the act of `kinds` that they
#: are of. `common` is what other lines may have as well; null where a line is of such an act, or
#: cannot be cut. It has no WHERE: DuckDB would compute what that asks for twice.
CUT = f"""
    SELECT own.* EXCLUDE (common), known.id AS act,
        CASE WHEN known.id IS NULL THEN own.common END AS common
    FROM ({_OWN}) AS own LEFT JOIN kinds AS known ON known.common = own.common
"""

_COMMON = f"""
    SELECT common, lines, parts[1] AS head, parts[2] AS body, parts[3] AS asked,
        parts[4] AS origin
    FROM (SELECT common, lines, string_split(common, '{HOLE}') AS parts
        FROM (SELECT common, count(*) AS lines FROM cut WHERE common IS NOT NULL GROUP BY common))
"""
#: What lines of `cut` have in common, once, and what it means.
ALIKE = f"""
    SELECT row_number() OVER () + (SELECT coalesce(max(id), 0) FROM kinds) AS id,
        common, lines, template, coalesce(details, '') AS details
    FROM ({meant(_COMMON)})
    WHERE formed
"""

#: A batch's acts: what its rows have in common, each with an id.
ACTS = """
    SELECT id, template, details, event, function FROM kinds
    UNION ALL
    SELECT alike.id, known.id, alike.details, known.event, known.function
    FROM alike JOIN templates AS known ON known.text = alike.template
"""

#: The lines whose template means something, with the id of their act. `facts` is a template that
#: tells the facts of a process.
TAKEN = """
    SELECT (number + 1) << 20 AS ord, known.id AS act, happened, request, nonce, seq, lost,
        CASE WHEN known.function = '' THEN logged ELSE known.function END AS function,
        CASE WHEN known.event = 'armed' THEN known.template END AS facts
    FROM (
        SELECT number, act, happened, request, nonce, seq, lost, logged
        FROM placed WHERE act IS NOT NULL
        UNION ALL
        SELECT number, coalesce(act, fresh.id), happened, request, nonce, seq, lost, logged
        FROM cut LEFT JOIN (SELECT id, common FROM alike) AS fresh ON fresh.common = cut.common
    ) AS line JOIN acts AS known ON known.id = line.act
    ORDER BY ord
"""

#: What more than one line of the batch had in common: the next batch's lines of these acts are not
#: taken apart. `shape`, `body` and `origin` are what `placed` knows them by.
KINDS = f"""
    SELECT id, template, details, event, function, common,
        CASE parts[1] WHEN '{ACT}' THEN concat('v', parts[3])
            WHEN '{ALLOWED}' THEN concat('a', parts[3]) END AS shape,
        CASE WHEN starts_with(parts[2], '{_LEVEL[1:]}')
            THEN concat(substr(parts[2], {len(_LEVEL)}), '{_BEFORE}') END AS body,
        CASE WHEN ends_with(parts[4], '{_PID[0]}')
            THEN substr(parts[4], {len(_RING) + 1}, length(parts[4]) - {len(_RING) + 1})
            END AS origin
    FROM (
        SELECT acts.*, common, string_split(common, '{HOLE}') AS parts
        FROM alike JOIN acts ON acts.id = alike.id
        WHERE lines > 1 AND strlen(common) <= ?
    )
"""

#: The lines that are not in `taken`.
LEFT_OVER = """
    SELECT number, coalesce(line, text) AS line, logged FROM placed
    WHERE act IS NULL AND (number + 1) << 20 NOT IN (SELECT ord FROM taken) ORDER BY number
"""
