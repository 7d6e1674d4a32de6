"""The SQL that follows the numbers of processes, and counts the acts of a batch."""

from __future__ import annotations

from fshield.evidence.tables.apart import PID
from fshield.evidence.tables.rows import REQUEST, TIMELY

#: The numbered rows of `taken`, and the run that each is in: see
#: `fshield.evidence.tables.kinds`. Here a row may also tell something of its process, which then
#: begins a run.
STEPPED = """
    SELECT ord, act, happened, request, seq, lost, previous, at_previous, begins,
        CASE WHEN begins THEN process END AS process,
        CASE WHEN begins THEN function END AS function,
        CASE WHEN begins THEN facts END AS facts,
        max(CASE WHEN begins THEN ord END)
            OVER (ORDER BY ord ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
    FROM (
        SELECT *,
            coalesce(process != above OR seq <= previous OR function != beside
                OR facts IS NOT NULL OR happened IS NULL OR at_previous IS NULL, true) AS begins
        FROM (
            SELECT *, lag(process) OVER in_order AS above, lag(function) OVER in_order AS beside,
                lag(seq) OVER in_order AS previous, lag(happened) OVER in_order AS at_previous
            FROM taken WHERE seq IS NOT NULL WINDOW in_order AS (ORDER BY ord)
        )
    )
"""
#: The last of them.
LAST = "SELECT seq, happened FROM stepped ORDER BY ord DESC LIMIT 1"

# `process` is written as the end of a line has it, see `process_of`.
_PID = 'pid":'
_MARK = '"nonce":"'
#: One that the engine writes.
PROCESS = f'{_PID}{PID},{_MARK}[0-9a-f]{{16}}",'
_NONCE = f"substr(process, marked + {len(_MARK)}, length(process) - marked - {len(_MARK) + 1})"


def process_of(nonce: str) -> str:
    """What stands for a process whose pid does not matter."""
    return f'{_PID}0,{_MARK}{nonce}",'


def begun(stepped: str, last: str) -> str:
    """The first rows of runs, with the number and the moment of the last ones.

    A run's last row is the one before the next run's first, which says what it follows. So only the
    first rows are read. Where it says nothing, it follows a run of one row.

    Args:
        stepped: the batch's rows.
        last: the last of them.
    """
    return f"""
        SELECT run, {_NONCE} AS nonce, function, facts,
            coalesce(lead(previous, 1, last.seq) OVER (ORDER BY run), first.seq) AS seq,
            CASE WHEN lead(previous, 1, last.seq) OVER (ORDER BY run) IS NULL THEN first.happened
                ELSE lead(at_previous, 1, last.happened) OVER (ORDER BY run) END AS happened
        FROM (SELECT *, strpos(process, '{_MARK}') AS marked FROM ({stepped}) WHERE begins)
            AS first, ({last}) AS last
    """


# The runs of one batch come after what is known of their processes, as runs before the first.
_PROCESS = "PARTITION BY nonce ORDER BY run ROWS"
RUNS = f"""
    SELECT run, nonce, seq,
        max(seq) OVER ({_PROCESS} BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
        happened,
        last_value(happened IGNORE NULLS)
            OVER ({_PROCESS} BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS at_before,
        coalesce(first_value(nullif(function, '') IGNORE NULLS)
            OVER ({_PROCESS} BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), '') AS function,
        first_value(facts IGNORE NULLS)
            OVER ({_PROCESS} BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS facts
    FROM (
        SELECT run, nonce, seq, happened, function, facts FROM begun
        UNION ALL
        SELECT -1, nonce, seq, happened, function, facts
        FROM processes WHERE nonce IN (SELECT nonce FROM begun)
    )
"""

#: What the batch's rows say of their processes, for the next batch.
PROCESSES = """
    SELECT nonce, max(seq) AS seq, arg_max(happened, run) AS happened,
        arg_max(function, run) AS function, arg_max(facts, run) AS facts
    FROM runs GROUP BY nonce
"""

# The batch's rows, each with what it follows.
_FOLLOWED = """
    SELECT row.act, row.happened, row.request, row.seq, row.lost, its.function, its.facts,
        CASE WHEN row.begins THEN its.before ELSE greatest(its.before, row.previous) END AS before,
        CASE WHEN row.begins THEN its.at_before ELSE row.at_previous END AS at_before
    FROM ({}) AS row JOIN runs AS its ON its.run = row.run
"""
# Rows without a number, where there may be such.
_LOOSE = """
    UNION ALL
    SELECT act, happened, request, NULL, lost, function, NULL, NULL, NULL
    FROM taken WHERE seq IS NULL
"""


def grouped(stepped: str, loose: bool) -> str:
    """The batch's rows by act, and what the reader counts: `missing`, `back`.

    Args:
        stepped: the batch's rows.
        loose: there is a table `taken`, some of whose rows have no number.
    """
    return f"""
        SELECT act, function, facts, doubt, timely, named,
            min(happened) AS first_seen, max(happened) AS last_seen, count(*) AS events,
            sum(lost) AS lost, coalesce(min(nullif(request, '')), '') AS request,
            coalesce(sum(greatest(0, seq - before - 1 - lost)) FILTER (seq > before), 0) AS missing,
            count(*) FILTER (happened < at_before - 1000000) AS back
        FROM (
            SELECT row.*,
                CASE WHEN seq <= before THEN 'repeated'
                    WHEN seq IS NULL AND known.event IN ('violation', 'allowed') THEN 'unnumbered'
                    ELSE '' END AS doubt,
                CASE WHEN known.timely THEN happened END AS timely,
                CASE WHEN length(request) >= {REQUEST} AND contains(known.details, request)
                    THEN request ELSE '' END AS named
            FROM ({_FOLLOWED.format(stepped)}{_LOOSE if loose else ""}) AS row JOIN (
                SELECT id, event, details,
                    contains(details, '"/tmp') AND regexp_matches(details, '{TIMELY}') AS timely
                FROM acts
            ) AS known ON known.id = row.act
        )
        GROUP BY act, function, facts, doubt, timely, named
    """


#: The events, repeated, missing and with a clock that went back.
COUNTED = """
    SELECT coalesce(sum(events) FILTER (doubt = 'repeated'), 0), coalesce(sum(missing), 0),
        coalesce(sum(back), 0)
    FROM grouped
"""

#: The batch in rows that still have their template. What the object says is looked up here, because
#: batches are counted beside each other.
PARTS = """
    SELECT template, part.* EXCLUDE (act, missing, back),
        coalesce(said[1], '') AS verb, coalesce(said[2], '') AS host, coalesce(said[3], '') AS ip,
        CASE WHEN TRY_CAST(said[4] AS BIGINT) BETWEEN 1 AND 65535
            THEN CAST(said[4] AS INTEGER) ELSE 0 END AS port,
        coalesce(said[5], '') AS protocol, coalesce(said[6], '') AS path,
        coalesce(said[7], '') AS other_path
    FROM grouped AS part JOIN (
        SELECT id, template,
            json_extract_string(CASE WHEN details = '' THEN '{}' ELSE details END,
                ['$.operation', '$.host', '$.ip', '$.port', '$.protocol', '$.path', '$.to']) AS said
        FROM acts
    ) ON id = act
"""
