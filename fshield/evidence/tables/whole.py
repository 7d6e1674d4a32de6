"""The SQL of the table's whole rows.

A row is wide, and most of its columns say one of a few things: what a template means. So these
columns are kept once for each such thing. Rows have its rank in the table's order: they are
grouped, sorted and held by ranks, and get the columns back where they are given away.
"""

from __future__ import annotations

from collections.abc import Iterable

from fshield.evidence.tables.rows import COLUMNS, REQUEST, TIMELY, Key

_KEY = list(Key._fields)
#: What rows of one meaning differ in, beside function and doubt.
_OBJECT = ["verb", "host", "ip", "port", "protocol", "path", "other_path"]
_AT_FUNCTION, _AT_OBJECT = _KEY.index("function"), _KEY.index(_OBJECT[0])
#: The columns of the key that stand between these. Each part has its own ranks, because the
#: table's order asks the columns between them as well.
_PARTS = {
    "place": _KEY[:_AT_FUNCTION],
    "deed": _KEY[_AT_FUNCTION + 1 : _AT_OBJECT],
    "origin": _KEY[_AT_OBJECT + len(_OBJECT) : -1],
}
_MEANT = [name for names in _PARTS.values() for name in names]
#: The key in its order, by ranks.
_SHORT = ["place", "function", "deed", *_OBJECT, "origin", "doubt"]


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _agree(one: str, other: str) -> str:
    """Where rows of two relations mean the same. A table that is merged may have nulls."""
    return " AND ".join(f"{one}.{name} IS NOT DISTINCT FROM {other}.{name}" for name in _MEANT)


#: What the templates of `parts` mean, each for the facts of a process that its lines have.
PAIRS = """
    SELECT pair.*, known.times, known.* EXCLUDE (id, text, times, function) REPLACE (
        CASE WHEN known.account = '' THEN ? ELSE known.account END AS account,
        CASE WHEN known.region = '' THEN ? ELSE known.region END AS region,
        CASE WHEN known.runtime = '' THEN coalesce(armed.runtime, '')
            ELSE known.runtime END AS runtime,
        CASE WHEN known.policy_sha256 = '' THEN coalesce(armed.policy_sha256, '')
            ELSE known.policy_sha256 END AS policy_sha256)
    FROM (SELECT DISTINCT template, facts FROM parts) AS pair
    JOIN templates AS known ON known.id = pair.template
    LEFT JOIN templates AS armed ON armed.id = pair.facts
"""

#: All that rows mean, once, with its ranks.
MEANINGS = f"""
    SELECT *, {
    _list(
        f"dense_rank() OVER (ORDER BY {_list(names)}) AS {part}" for part, names in _PARTS.items()
    )
}
    FROM (SELECT {_list(_MEANT)} FROM pairs UNION SELECT {_list(_MEANT)} FROM whole)
"""

# The rows of all batches.
_READ = f"""
    SELECT {_list(_PARTS)}, rule, part.function, {_list(_OBJECT)}, doubt,
        make_timestamp(first_seen) AS first_seen, make_timestamp(last_seen) AS last_seen,
        times * events AS times, events,
        CASE WHEN event = 'armed' THEN events ELSE 0 END AS cold_starts, lost, request
    FROM parts AS part JOIN known
        ON known.template = part.template AND known.facts IS NOT DISTINCT FROM part.facts
"""
_PATHS = "concat(path, ' ', other_path)"

#: The rows of `parts` and `whole` in order, by ranks. Without MATERIALIZED, DuckDB would look for
#: the meaning of each part.
FINISHED = f"""
    WITH known AS MATERIALIZED (
        SELECT template, facts, times, meanings.*
        FROM pairs JOIN meanings ON {_agree("pairs", "meanings")}
    )
    SELECT {_list(_SHORT)},
        min(first_seen) AS first_seen, max(last_seen) AS last_seen,
        CAST(sum(times) AS BIGINT) AS times, CAST(sum(events) AS BIGINT) AS events,
        CAST(sum(cold_starts) AS BIGINT) AS cold_starts, CAST(sum(lost) AS BIGINT) AS lost,
        coalesce(min(nullif(request, '')), '') AS request
    FROM (
        SELECT *,
            CASE WHEN rule = 'read_write_tmp' AND regexp_matches({_PATHS}, '{TIMELY}')
                THEN first_seen END AS timely,
            CASE WHEN rule = 'read_write_tmp' AND length(request) >= {REQUEST}
                AND contains({_PATHS}, request) THEN request ELSE '' END AS named
        FROM (
            {_READ} UNION ALL BY NAME
            SELECT whole.* EXCLUDE ({_list(_MEANT)}), meanings.rule, {_list(_PARTS)}
            FROM whole JOIN meanings ON {_agree("whole", "meanings")}
        )
    )
    GROUP BY {_list(_SHORT)}, timely, named
    ORDER BY {_list(_SHORT)}, first_seen NULLS FIRST, request
"""


def _column(name: str) -> str:
    for part, names in _PARTS.items():
        if name in names:
            return f"{part}s.{name}[{part}] AS {name}"
    return name


def _lists(part: str) -> str:
    """One row that has each column of a part as a list, in the order of the part's ranks."""
    columns = (f"list({name} ORDER BY {part}) AS {name}" for name in _PARTS[part])
    distinct = f"SELECT DISTINCT {part}, {_list(_PARTS[part])} FROM meanings"
    return f"(SELECT {_list(columns)} FROM ({distinct})) AS {part}s"


#: The table of `finished`, in its order, which a join with `meanings` might not keep.
ROWS = f"""
    SELECT {_list(map(_column, COLUMNS))} FROM finished, {_list(map(_lists, _PARTS))}
"""
