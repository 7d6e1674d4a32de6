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
from fshield.evidence.tables.follow import PROCESS

# Marks that `_VARYING` splits a line at. What begins with a rare character is found faster.
_LEVEL = 'Z","level":"'
#: Stands behind the object, and behind the origin.
_END = '},"'
_ASKED = 'requestId":'
_RING = ',"ring":"'
_ORIGIN = _RING[5:]
_SEQ = '"seq":'
_MOMENT = "%Y-%m-%dT%H:%M:%S.%f"
# What stands before the request's id and behind it, up to the mark.
_QUOTED = f'{_ASKED}"'
_BEHIND = f'"{_RING[:5]}'

# What acts of a known kind differ in. The marks of what is between are where `cut` finds them:
# each is in the line once. A split is cheap, because DuckDB does not count the characters before
# it; a pattern is not, so it is only asked for a request's id that is no UUID. `shape` is null
# where a part is not what the engine writes, and where events are lost. `process` is looked at
# later, once for lines that follow each other: see `STRANGE`.
#
# A moment that is as long as it must be, and ends with a digit, leaves `try_strptime` no choice: no
# number can be shorter than it is written, and no space can stand for a digit. But it takes the
# hour 24 for the next day.
_VARYING = f"""
    SELECT number, line, logged, text, body, origin, epoch_us(clock) AS happened,
        coalesce(request, '') AS request, process, seq,
        CASE WHEN len(pieces) = 3 AND len(fronts) = 2 AND len(asked) = 2 AND len(numbers) = 2
            AND clock IS NOT NULL AND NOT contains(moment, 'T24')
            AND substr(before, -1) BETWEEN '0' AND '9'
            AND seq BETWEEN 0 AND {10**18 - 1}
            AND (numbers[2] = concat(seq, '}}') OR numbers[2] = concat(seq, '}}\r'))
            AND (strlen(request) = 36 AND TRY_CAST(request AS UUID) IS NOT NULL
                OR regexp_full_match(request, '{ID}')
                OR request IS NULL AND asking = '{_ASKED}null{_RING[:5]}')
            THEN CASE
                WHEN strlen(before) = {len(ACT) + 26} AND starts_with(before, '{ACT}20')
                THEN CASE WHEN request IS NULL THEN 'vn' ELSE 'v"' END
                WHEN strlen(before) = {len(ALLOWED) + 26} AND starts_with(before, '{ALLOWED}20')
                THEN CASE WHEN request IS NULL THEN 'an' ELSE 'a"' END END
            END AS shape
    FROM (
        SELECT *, numbers[1] AS process, try_strptime(moment, '{_MOMENT}') AS clock,
            coalesce(TRY_CAST(left(numbers[2], strlen(numbers[2]) - 1) AS BIGINT),
                TRY_CAST(left(numbers[2], strlen(numbers[2]) - 2) AS BIGINT)) AS seq,
            CASE WHEN starts_with(asking, '{_QUOTED}') AND ends_with(asking, '{_BEHIND}')
                THEN substr(asking, {len(_QUOTED) + 1},
                    strlen(asking) - {len(_QUOTED) + len(_BEHIND)}) END AS request
        FROM (
            SELECT *, substr(fronts[1], -26) AS moment, fronts[1] AS before, fronts[2] AS body,
                asked[1] AS asking, asked[2] AS origin
            FROM (
                SELECT *, string_split(pieces[1], '{_LEVEL}') AS fronts,
                    string_split(pieces[2], '{_ORIGIN}') AS asked,
                    string_split(pieces[3], '{_SEQ}') AS numbers
                FROM (SELECT *, string_split(text, '{_END}') AS pieces FROM ({PLACED}))
            )
        )
    )
"""


# The lines of `_VARYING`, each with the run that it is in: a stretch of lines that are of one
# process, whose numbers rise. Within a run, all that a line follows is the line before it. One that
# is to be cut is a run alone, since its process is not known yet, and the next one begins another.
#
# The lines are still in their order here, so DuckDB need not hold them to look at the one before.
_FOLLOWING = f"""
    SELECT *, max(CASE WHEN begins THEN number END)
        OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
    FROM (
        SELECT *, coalesce(process != above OR seq <= previous OR logged != beside, true) AS begins
        FROM (
            SELECT *, lag(process) OVER () AS above, lag(logged) OVER () AS beside,
                lag(seq) OVER () AS previous, lag(happened) OVER () AS at_previous
            FROM (
                SELECT * REPLACE (
                    CASE WHEN shape IS NOT NULL THEN process END AS process,
                    CASE WHEN shape IS NOT NULL THEN seq END AS seq)
                FROM ({_VARYING})
            )
        )
    )
"""


#: As `_FOLLOWING`, where no kind is known.
_UNKNOWN = f"""
    SELECT number, line, logged, text, CAST(NULL AS VARCHAR) AS shape,
        CAST(NULL AS VARCHAR) AS body, CAST(NULL AS VARCHAR) AS origin,
        CAST(NULL AS BIGINT) AS happened, CAST(NULL AS VARCHAR) AS request,
        CAST(NULL AS VARCHAR) AS process, CAST(NULL AS BIGINT) AS seq, true AS begins,
        number AS run, CAST(NULL AS BIGINT) AS previous, CAST(NULL AS BIGINT) AS at_previous
    FROM ({PLACED})
"""


def placed(source: str, known: bool) -> str:
    """The lines of `source`: those of acts of `kinds` with what is their own.
    Others have that, and `common`, what other lines may have as well; or null in both, and are to
    be cut. `text` is what is cut; `line` only where it is another. `process` is only there where it
    `begins` a run.

    A line is read once here, so this is what most of the time of a table goes to. Lines are
    numbered before the join, because it does not keep their order. DuckDB does this on one
    processor, so several lanes do it at once. The join has equalities only: before DuckDB 2, it
    would compare each line with each kind."""
    return f"""
        WITH lines AS NOT MATERIALIZED (
            SELECT *, row_number() OVER () - 1 AS number FROM ({source}))
        SELECT number, known.id AS act, happened, request, seq, logged, run, begins, previous,
            at_previous, CASE WHEN begins THEN process END AS process,
            CASE WHEN known.id IS NULL AND own.shape IS NOT NULL
                THEN concat(CASE WHEN starts_with(own.shape, 'v') THEN '{ACT}' ELSE '{ALLOWED}' END,
                    '{HOLE}{_LEVEL[1:]}', own.body, '{_END[0]}{HOLE}', right(own.shape, 1),
                    '{HOLE}{_RING}', own.origin, '{_END[0]}') END AS common,
            CASE WHEN known.id IS NULL THEN text END AS text,
            CASE WHEN known.id IS NULL AND NOT starts_with(line, '{START}') THEN line END AS line
        FROM ({_FOLLOWING if known else _UNKNOWN}) AS own LEFT JOIN kinds AS known
            ON known.shape = own.shape AND known.body = own.body AND known.origin = own.origin
    """


#: How many runs are of no process that the engine writes.
STRANGE = f"""
    SELECT count(*) FROM placed
    WHERE process IS NOT NULL AND NOT regexp_full_match(process, '{PROCESS}')
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
        substr(text, at_pid + 2, at_nonce - at_pid + 16) AS process,
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
    SELECT common, numbers, parts[1] AS head, parts[2] AS body, parts[3] AS asked,
        parts[4] AS origin
    FROM (SELECT common, numbers, string_split(common, '{HOLE}') AS parts
        FROM (SELECT common, list(number) AS numbers
            FROM (SELECT number, common FROM placed UNION ALL SELECT number, common FROM cut)
            WHERE common IS NOT NULL GROUP BY common))
"""
#: What lines of no known kind have in common, once, what it means, and the lines' `numbers`.
ALIKE = f"""
    SELECT row_number() OVER () + (SELECT coalesce(max(id), 0) FROM kinds) AS id,
        common, numbers, template, coalesce(details, '') AS details
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
    SELECT number, acts.id AS act, happened, request, process, seq, coalesce(lost, 0) AS lost
    FROM (
        SELECT unnest(numbers) AS number, id AS act FROM alike
        UNION ALL
        SELECT number, act FROM cut WHERE act IS NOT NULL
    ) AS line
    LEFT JOIN (SELECT * EXCLUDE (act, common) FROM cut) AS own USING (number)
    JOIN acts ON acts.id = line.act
"""

#: How many lines that were not cut name their function, which `_FOLLOWING` does not ask for: the
#: engine writes none.
NAMING = """
    SELECT count(*) FROM found JOIN acts ON acts.id = found.act
    WHERE found.process IS NULL AND acts.function != ''
"""


def _read(placed: str) -> str:
    """The lines of `placed` whose template means something, with the id of their act. `facts` is a
    template that tells the facts of a process."""
    return f"""
        SELECT line.number, line.run, line.begins, line.previous, line.at_previous, known.act,
            CASE WHEN line.seq IS NULL THEN known.happened ELSE line.happened END AS happened,
            CASE WHEN line.seq IS NULL THEN known.request ELSE line.request END AS request,
            CASE WHEN line.seq IS NULL THEN known.process ELSE line.process END AS process,
            coalesce(line.seq, known.seq) AS seq, known.lost,
            CASE WHEN known.function = '' THEN line.logged ELSE known.function END AS function,
            CASE WHEN known.event = 'armed' THEN known.template END AS facts
        FROM {placed} AS line JOIN (
            SELECT id AS line, id AS act, NULL AS happened, NULL AS request, NULL AS process,
                NULL AS seq, 0 AS lost, function, event, template
            FROM acts
            UNION ALL
            SELECT -1 - number, found.act, happened, request, process, seq, lost, function, event,
                template
            FROM found JOIN acts ON acts.id = found.act
        ) AS known ON known.line = coalesce(line.act, -1 - line.number)
    """


#: The lines of a batch that are all taken, each with its run.
STEPPED = _read("placed")
#: The last of them; nulls where it is cut.
LAST = "SELECT seq, happened FROM placed ORDER BY number DESC LIMIT 1"

#: The lines that are taken of a batch of which others are not. Each has its process, since the line
#: before it may be one of the others.
TAKEN = f"""
    SELECT (number + 1) << 20 AS ord, act, happened, request, process, seq, lost, function, facts
    FROM ({
    _read(
        "(SELECT * REPLACE (last_value(process IGNORE NULLS) OVER (ORDER BY number) AS process)"
        " FROM placed)"
    )
})
"""

#: What more than one line of the batch had in common, if it names no function: the next batch's
#: lines of these acts are not taken apart. `placed` knows them by `shape`, `body` and `origin`.
KINDS = f"""
    SELECT id, template, details, event, function, common,
        CASE parts[1] WHEN '{ACT}' THEN concat('v', parts[3])
            WHEN '{ALLOWED}' THEN concat('a', parts[3]) END AS shape,
        CASE WHEN starts_with(parts[2], '{_LEVEL[1:]}') AND ends_with(parts[2], '{_END[0]}')
            THEN substr(parts[2], {len(_LEVEL)}, length(parts[2]) - {len(_LEVEL)}) END AS body,
        CASE WHEN ends_with(parts[4], '{_END[0]}')
            THEN substr(parts[4], {len(_RING) + 1}, length(parts[4]) - {len(_RING) + 1})
            END AS origin
    FROM (
        SELECT acts.*, common, string_split(common, '{HOLE}') AS parts
        FROM alike JOIN acts ON acts.id = alike.id
        WHERE len(numbers) > 1 AND strlen(common) <= ? AND function = ''
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
