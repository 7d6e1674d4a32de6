"""The SQL that makes acts of a batch's lines. Lines of a kind that is known are read in one pass;
others are cut, and what they have in common is taken apart once."""

from __future__ import annotations

from fshield.evidence.tables.apart import (
    ACT,
    ALLOWED,
    AT_NONCE,
    HOLE,
    ID,
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
# What stands before the mark of a request's id, and behind the id.
_BEFORE = ',"request'
_BEHIND = f'"{_RING[:5]}'
_SEQ = '"seq":'
_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"

# What acts of a known kind differ in. The marks of what is between are where `cut` finds them:
# each is in the line once. A split is cheap, because DuckDB does not count the characters before
# it; a pattern is not, so it is only asked for a request's id that is no UUID. `shape` is null
# where a part is not what the engine writes, and where events are lost. `process` is looked at
# later, once for lines that follow each other: see `fshield.evidence.tables.follow.STRANGE`.
#
# A moment that ends with its letter, and is as long as it must be, leaves `try_strptime` no choice:
# no number can be shorter than it is written, and no space can stand for a digit. But it takes the
# hour 24 for the next day.
_VARYING = f"""
    SELECT number, line, logged, text, body, origin, epoch_us(clock) AS happened,
        coalesce(request, '') AS request, process, seq,
        CASE WHEN len(halves) = 2 AND len(fronts) = 2 AND len(asked) = 2 AND len(ends) = 2
            AND len(numbers) = 2 AND strlen(fronts[1]) = at_moment + 25 AND clock IS NOT NULL
            AND NOT contains(fronts[1], 'T24') AND seq BETWEEN 0 AND {10**18 - 1}
            AND (numbers[2] = concat(seq, '}}') OR numbers[2] = concat(seq, '}}\r'))
            AND (strlen(request) = 36 AND TRY_CAST(request AS UUID) IS NOT NULL
                OR regexp_full_match(request, '{ID}')
                OR request IS NULL AND asking = 'null{_RING[:5]}')
            THEN CASE WHEN at_moment = {len(ACT) + 1}
                THEN CASE WHEN request IS NULL THEN 'vn' ELSE 'v"' END
                ELSE CASE WHEN request IS NULL THEN 'an' ELSE 'a"' END END
            END AS shape
    FROM (
        SELECT *, numbers[1] AS process,
            try_strptime(substr(text, at_moment, 27), '{_MOMENT}') AS clock,
            coalesce(TRY_CAST(left(numbers[2], strlen(numbers[2]) - 1) AS BIGINT),
                TRY_CAST(left(numbers[2], strlen(numbers[2]) - 2) AS BIGINT)) AS seq,
            CASE WHEN starts_with(asking, '"') AND ends_with(asking, '{_BEHIND}')
                THEN substr(asking, 2, strlen(asking) - {1 + len(_BEHIND)}) END AS request
        FROM (
            SELECT *, ends[1] AS origin, string_split(ends[2], '{_SEQ}') AS numbers
            FROM (
                SELECT *, fronts[2] AS body, asked[1] AS asking,
                    string_split(asked[2], '{_PID}') AS ends
                FROM (
                    SELECT *, string_split(halves[1], '{_LEVEL}') AS fronts,
                        string_split(halves[2], '{_ORIGIN}') AS asked
                    FROM (
                        SELECT *, string_split(text, '{_ASKED}') AS halves,
                            CASE WHEN starts_with(text, '{ACT}20') THEN {len(ACT) + 1}
                                WHEN starts_with(text, '{ALLOWED}20') THEN {len(ALLOWED) + 1}
                                END AS at_moment
                        FROM ({PLACED})
                    )
                )
            )
        )
    )
"""


#: As `_VARYING`, where no kind is known.
_UNKNOWN = f"""
    SELECT number, line, logged, text, CAST(NULL AS VARCHAR) AS shape,
        CAST(NULL AS VARCHAR) AS body, CAST(NULL AS VARCHAR) AS origin,
        CAST(NULL AS BIGINT) AS happened, CAST(NULL AS VARCHAR) AS request,
        CAST(NULL AS VARCHAR) AS process, CAST(NULL AS BIGINT) AS seq
    FROM ({PLACED})
"""


def placed(source: str, known: bool) -> str:
    """The lines of `source`, in their order: those of acts of `kinds` with what is their own.
    Others have that, and `common`, what other lines may have as well; or null in both, and are to
    be cut. `text` is what is cut; `line` only where it is another.

    A line is read once here, so this is what most of the time of a table goes to. Lines are
    numbered before the join, because it does not keep their order. DuckDB does this on one
    processor, so several lanes do it at once. The join has equalities only: before DuckDB 2, it
    would compare each line with each kind."""
    return f"""
        WITH lines AS NOT MATERIALIZED (
            SELECT *, row_number() OVER () - 1 AS number FROM ({source}))
        SELECT number, known.id AS act, happened, request,
            CASE WHEN own.shape IS NOT NULL THEN process END AS process, seq, logged,
            CASE WHEN known.id IS NULL AND own.shape IS NOT NULL
                AND ends_with(own.body, '{_BEFORE}')
                THEN concat(CASE WHEN starts_with(own.shape, 'v') THEN '{ACT}' ELSE '{ALLOWED}' END,
                    '{HOLE}{_LEVEL[1:]}', left(own.body, length(own.body) - {len(_BEFORE)}),
                    '{HOLE}', right(own.shape, 1), '{HOLE}{_RING}', own.origin, '{_PID[0]}')
                END AS common,
            CASE WHEN known.id IS NULL THEN text END AS text,
            CASE WHEN known.id IS NULL AND NOT starts_with(line, '{START}') THEN line END AS line
        FROM ({_VARYING if known else _UNKNOWN}) AS own LEFT JOIN kinds AS known
            ON known.shape = own.shape AND known.body = own.body AND known.origin = own.origin
    """


#: Lines of `placed` that were not read in its pass.
TO_CUT = "SELECT number, text, logged FROM placed WHERE act IS NULL AND common IS NULL"

# DuckDB cuts `text` faster than what was cut out of it, because it knows what a column holds.
_OWN = f"""
    SELECT number, logged,
        CASE WHEN whole
            THEN concat(head, '{HOLE}', body, '{HOLE}', asked, '{HOLE}', origin) END AS common,
        epoch_us(clock) AS happened,
        CASE WHEN is_act AND request != 'null'
            THEN substr(text, at_request + 14, strlen(request) - 2) ELSE '' END AS request,
        substr(text, at_pid + 7, at_nonce - at_pid + 11) AS process,
        coalesce(
            TRY_CAST(substr(text, at_nonce + 24, length(text) - at_nonce - 24) AS BIGINT),
            TRY_CAST({SEQ} AS BIGINT)) AS seq,
        CASE WHEN contains(tail, '"lost":')
            THEN TRY_CAST(regexp_extract(tail, '"lost":([0-9]+)', 1) AS BIGINT) ELSE 0 END AS lost
    FROM (SELECT *, at_pid + {AT_NONCE} - 1 AS at_nonce
        FROM ({cut(TO_CUT)}))
"""

#: The lines of `TO_CUT`, with their number, and the act of `kinds` that they
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
        FROM (SELECT common, count(*) AS lines
            FROM (SELECT common FROM placed UNION ALL SELECT common FROM cut)
            WHERE common IS NOT NULL GROUP BY common))
"""
#: What lines of no known kind have in common, once, and what it means.
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

#: The lines of no known kind whose template means something, with their act. `process` and what
#: stands beside it only where `placed` has none.
FOUND = """
    SELECT number, acts.id AS act, happened, request, process, seq, lost
    FROM (
        SELECT number, act, common, happened, request, process, seq, lost FROM cut
        UNION ALL
        SELECT number, act, common, NULL, NULL, NULL, NULL, 0 FROM placed WHERE common IS NOT NULL
    ) AS line
    LEFT JOIN (SELECT id, common FROM alike) AS fresh ON fresh.common = line.common
    JOIN acts ON acts.id = coalesce(line.act, fresh.id)
"""

#: The lines whose template means something, with the id of their act. `facts` is a template that
#: tells the facts of a process. Each row of `placed` meets one row of what it is joined with, or
#: none: so DuckDB 2 keeps the order, and nothing has to be sorted.
TAKEN = """
    SELECT (line.number + 1) << 20 AS ord, known.act,
        CASE WHEN line.process IS NULL THEN known.happened ELSE line.happened END AS happened,
        CASE WHEN line.process IS NULL THEN known.request ELSE line.request END AS request,
        coalesce(line.process, known.process) AS process,
        CASE WHEN line.process IS NULL THEN known.seq ELSE line.seq END AS seq,
        known.lost,
        CASE WHEN known.function = '' THEN line.logged ELSE known.function END AS function,
        CASE WHEN known.event = 'armed' THEN known.template END AS facts
    FROM placed AS line JOIN (
        SELECT id AS line, id AS act, NULL AS happened, NULL AS request, NULL AS process,
            NULL AS seq, 0 AS lost, function, event, template
        FROM acts
        UNION ALL
        SELECT -1 - number, found.act, happened, request, process, seq, lost, function, event,
            template
        FROM found JOIN acts ON acts.id = found.act
    ) AS known ON known.line = coalesce(line.act, -1 - line.number)
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

#: The lines that `TAKEN` does not have.
LEFT_OVER = """
    SELECT number, coalesce(line, text) AS line, logged FROM placed
    WHERE act IS NULL AND number NOT IN (SELECT number FROM found) ORDER BY number
"""

#: How many these are.
LEFT = """
    SELECT count(*) - (SELECT count(*) FROM found) FROM placed WHERE act IS NULL
"""
