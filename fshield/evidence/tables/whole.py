"""The SQL of the table's whole rows."""

from __future__ import annotations

from fshield.evidence.tables.rows import COLUMNS, REQUEST, TIMELY, Key

_KEY = list(Key._fields)
_PATHS = "concat(path, ' ', other_path)"
_MERGED_MOMENT = (
    f"CASE WHEN rule = 'read_write_tmp' AND regexp_matches({_PATHS}, '{TIMELY}')"
    " THEN first_seen END",
    f"CASE WHEN rule = 'read_write_tmp' AND length(request) >= {REQUEST}"
    f" AND contains({_PATHS}, request) THEN request ELSE '' END",
)


def merged(source: str) -> str:
    """The table of all rows of `source`, a relation with the table's columns."""
    return f"""
        SELECT {", ".join(_KEY)},
            min(first_seen) AS first_seen, max(last_seen) AS last_seen,
            CAST(sum(times) AS BIGINT) AS times, CAST(sum(events) AS BIGINT) AS events,
            CAST(sum(cold_starts) AS BIGINT) AS cold_starts, CAST(sum(lost) AS BIGINT) AS lost,
            coalesce(min(nullif(request, '')), '') AS request
        FROM (SELECT *, {_MERGED_MOMENT[0]} AS timely, {_MERGED_MOMENT[1]} AS named FROM {source})
        GROUP BY {", ".join(_KEY)}, timely, named
    """


def ordered(source: str) -> str:
    """`source` in the table's order and with its columns only."""
    return f"""
        SELECT {", ".join(COLUMNS)} FROM {source}
        ORDER BY {", ".join(_KEY)}, first_seen NULLS FIRST, request
    """


#: The rows of all batches as the table has them.
FINISHED = """
    SELECT
        CASE WHEN known.account = '' THEN ? ELSE known.account END AS account,
        CASE WHEN known.region = '' THEN ? ELSE known.region END AS region,
        part.function, known.function_version,
        CASE WHEN known.runtime = '' THEN coalesce(armed.runtime, '')
            ELSE known.runtime END AS runtime,
        known.policy,
        CASE WHEN known.policy_sha256 = '' THEN coalesce(armed.policy_sha256, '')
            ELSE known.policy_sha256 END AS policy_sha256,
        known.event, known.rule,
        coalesce(found.verb, '') AS verb, coalesce(found.host, '') AS host,
        coalesce(found.ip, '') AS ip,
        CASE WHEN found.port BETWEEN 1 AND 65535 THEN CAST(found.port AS INTEGER)
            ELSE 0 END AS port,
        coalesce(found.protocol, '') AS protocol, coalesce(found.path, '') AS path,
        coalesce(found.other_path, '') AS other_path,
        known.mode, known.policy_mode, known.reason, known.decided_by, known.would_allow,
        known.only_for, known.asker,
        known.dependency, known.dependency_version, known.file, known.line, known.stack,
        part.doubt,
        make_timestamp(part.first_seen) AS first_seen, make_timestamp(part.last_seen) AS last_seen,
        known.times * part.events AS times, part.events,
        CASE WHEN known.event = 'armed' THEN part.events ELSE 0 END AS cold_starts,
        part.lost, part.request
    FROM (
        SELECT *, {
            'verb': said[1], 'host': said[2], 'ip': said[3],
            'port': TRY_CAST(said[4] AS BIGINT), 'protocol': said[5], 'path': said[6],
            'other_path': said[7]
        } AS found
        FROM (
            SELECT *,
                json_extract_string(CASE WHEN details = '' THEN '{}' ELSE details END,
                    ['$.operation', '$.host', '$.ip', '$.port', '$.protocol', '$.path',
                    '$.to']) AS said
            FROM parts
        )
    ) AS part
    JOIN templates AS known ON known.id = part.template
    LEFT JOIN templates AS armed ON armed.id = part.facts
"""
