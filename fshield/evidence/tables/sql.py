"""The SQL that makes the table of lines of a log.

The engine writes a line in one way only, so SQL takes it apart at fixed marks. What varies from
line to line (time, request, message, object, number) are holes; the rest is the line's template.
There are few templates, and `fshield.evidence.tables.templates` asks the reader of events what each
means. A line that is not written in this way is left to that reader as a whole. So the table is the
reader's, and SQL never has an opinion on JSON.
"""

from __future__ import annotations

from fshield.evidence.events import MAX_LINE
from fshield.evidence.tables.rows import COLUMNS, REQUEST, TIMELY, Key

#: Stands for a hole in a template. No line with it is taken apart: the reader of CSV ends a column
#: there, and refuses the file.
HOLE = "\x01"
_START = '{"function_shield":true,"event":"'
_PLAIN = r"[\x20\x21\x23-\x5b\x5d-\x7e]*"
_TEXT = f'"{_PLAIN}"'
_MAYBE = f"(null|{_TEXT})"
#: What would have let the act pass says nothing that rule and details do not: it is in no template.
_ENTRY = f',"entry":{_TEXT}$'
#: Behind the request's id; no column has it.
_TENANT = f',"tenantId":{_TEXT}$'
#: An object as the engine writes it, without anything escaped in it.
DETAILS = (
    rf'\{{"host":{_MAYBE},"ip":{_MAYBE},"port":(null|0|[1-9][0-9]{{0,17}}),"protocol":{_MAYBE}'
    rf'(,"first_bytes":{_TEXT})?(,"connected_as":{_TEXT})?\}}'
    rf'|\{{"path":{_MAYBE}(,"arguments":{_MAYBE})?(,"operation":{_TEXT})?\}}'
)
_MOMENT = "20[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9][.][0-9]{6}Z"
_TAIL = (
    r',"pid":(0|[1-9][0-9]{0,17}),"nonce":"([0-9a-f]{16})","seq":(0|[1-9][0-9]{0,17})'
    r'(,"lost":([1-9][0-9]{0,17}))?\}\r?'
)
#: The end of a line that says nothing of others, and whose number can be squared.
_COUNTABLE = r',"pid":(0|[1-9][0-9]{0,17}),"nonce":"([0-9a-f]{16})","seq":(0|[1-9][0-9]{0,6})\}\r?'
_REQUEST = 'null|"[A-Za-z0-9-]{1,64}"'


#: An event as a string of JSON has it, up to the end of the string, without anything in it but
#: quotes that is escaped; CloudWatch's messages may have a line end at their end.
_WRAPPED = r'\{\\"function_shield\\":true(?:[^"\\]|\\")*(?:\\n)?"'
_WORD = "function_shield"
_GROUP = r'\\{0,7}"logGroup\\{0,7}"\s*:\s*\\{0,7}"/aws/lambda/([A-Za-z0-9_-]{1,140})'


def read(files: list[str], packed: bool) -> str:
    """The lines of files that may have events, in their order. `logged` is the function whose log
    group a wrapping names."""
    names = ", ".join(literal(name) for name in files)
    return f"""
        SELECT line, '' AS logged FROM read_csv([{names}], columns = {{'line': 'VARCHAR'}},
            auto_detect = false, header = false, delim = '{HOLE}', quote = '', escape = '',
            comment = '', nullstr = '\x02', max_line_size = 33554432, new_line = '\\n',
            compression = '{"gzip" if packed else "none"}')
        WHERE contains(line, '{_WORD}')
    """


def any_wrapped(source: str) -> str:
    """One row where a line of `source` may be wrapped."""
    return f"""SELECT 1 FROM ({source}) WHERE contains(line, '{{\\"{_WORD}\\":true') LIMIT 1"""


def unwrapped(source: str) -> str:
    """The lines of `source`, and in place of those that hold nothing but whole events in strings of
    JSON these events: what `aws logs filter-log-events` prints, and a subscription's records.

    A line of which this is not sure stays: each place where an event could begin must begin one,
    and end with its string.
    """
    begins = f"(length(line) - length(replace(line, '{_WORD}', ''))) // {len(_WORD)}"
    return f"""
        SELECT
            unnest(CASE WHEN sure
                THEN string_split(
                    replace(regexp_replace(array_to_string(events, '{HOLE}'),
                        '(?:\\\\n)?"(?:{HOLE}|$)', '{HOLE}', 'g'), '\\"', '"'),
                    '{HOLE}')
                ELSE [line] END) AS line,
            CASE WHEN sure AND contains(line, 'logGroup')
                THEN regexp_extract(line, '{_GROUP}', 1) ELSE '' END AS logged
        FROM (
            SELECT line, events, len(events) > 0 AND len(events) = {begins} AS sure
            FROM (
                SELECT line,
                    CASE WHEN contains(line, '{{\\"{_WORD}\\":true')
                        THEN regexp_extract_all(line, '{_WRAPPED}') ELSE [] END AS events
                FROM ({source})
            )
        )
    """


def literal(text: str) -> str:
    """`text` as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


# Where the marks are, of a line that begins with an event, or has one behind a time.
_MARKED = f"""
    SELECT *,
        starts_with(text, '{_START}violation"') OR starts_with(text, '{_START}allowed"') AS is_act,
        strpos(text, '"timestamp":"') AS at_time,
        strpos(text, ',"message":"') AS at_message,
        strpos(text, ',"policy":"') AS at_policy,
        strpos(text, ',"details":{{') AS at_details,
        strpos(text, ',"requestId":') AS at_request,
        strpos(text, ',"ring":"') AS at_ring,
        strpos(text, ',"pid":') AS at_pid
    FROM (
        SELECT *, CASE
            WHEN starts_with(line, '{_START}') THEN line
            WHEN strpos(line, 'function_shield') = strpos(line, '{_START}') + 2
                AND NOT contains(line, 'logGroup')
                THEN substr(line, strpos(line, '{_START}'))
            ELSE '' END AS text
        FROM lines
    )
"""

_TAKEN = f"""
    SELECT *,
        CASE
            WHEN strlen(text) > {MAX_LINE} OR at_time = 0 OR at_pid <= at_time THEN NULL
            WHEN NOT is_act
                THEN substr(text, 1, at_time + 12) || '{HOLE}'
                    || substr(text, at_time + 40, at_pid - at_time - 40) || '{HOLE}'
            WHEN at_time < at_message AND at_message < at_policy AND at_policy < at_details
                AND at_details < at_request AND at_request < at_ring AND at_ring < at_pid
                THEN substr(text, 1, at_time + 12) || '{HOLE}'
                    || substr(text, at_time + 40, at_message - at_time - 40) || '{HOLE}'
                    || regexp_replace(
                        substr(text, at_policy, at_details - at_policy), '{_ENTRY}', '')
                    || '{HOLE}'
                    || CASE WHEN substr(text, at_request + 13, 1) = 'n' THEN 'n' ELSE 's' END
                    || '{HOLE}' || substr(text, at_ring, at_pid - at_ring) || '{HOLE}'
        END AS template,
        substr(text, at_time + 13, 27) AS moment,
        CASE WHEN is_act
            THEN substr(text, at_message + 11, at_policy - at_message - 11) END AS message,
        CASE WHEN is_act
            THEN substr(text, at_details + 11, at_request - at_details - 11) END AS details,
        CASE WHEN is_act
            THEN regexp_replace(substr(text, at_request + 13, at_ring - at_request - 13),
                '{_TENANT}', '') END AS request,
        substr(text, at_pid, 160) AS tail
    FROM ({_MARKED})
"""


def _apart(known: str) -> str:
    """Every line of `lines` with its parts, and whether they are what the engine writes."""
    return f"""
        SELECT *, coalesce(
            template IS NOT NULL
            AND regexp_full_match(moment, '{_MOMENT}')
            AND TRY_CAST(moment AS TIMESTAMP) IS NOT NULL
            AND regexp_full_match(tail, '{_TAIL}')
            AND (NOT is_act OR (regexp_full_match(message, '{_TEXT}')
                AND regexp_full_match(details, '{DETAILS}')
                AND regexp_full_match(request, '{_REQUEST}')))
            AND {known}, false) AS good
        FROM ({_TAKEN})
    """


def take_apart(refused: list[str]) -> str:
    """Every line of `lines`, taken apart, in the order of the file. Of a line that cannot be, or
    whose template is among `refused`, there is the line and nothing else.

    There is no join in it: a join does not keep the order.
    """
    names = ", ".join(map(literal, refused))
    known = f"template NOT IN ({names})" if refused else "true"
    return f"""
        SELECT logged,
            CASE WHEN good THEN NULL ELSE line END AS line,
            CASE WHEN good THEN template END AS template,
            CASE WHEN good THEN epoch_us(TRY_CAST(moment AS TIMESTAMP)) END AS happened,
            CASE WHEN good THEN coalesce(details, '') END AS details,
            CASE WHEN good AND request != 'null' THEN substr(request, 2, length(request) - 2)
                ELSE '' END AS request,
            CASE WHEN good THEN regexp_extract(tail, '"nonce":"([0-9a-f]*)"', 1) END AS nonce,
            CASE WHEN good
                THEN CAST(regexp_extract(tail, '"seq":([0-9]+)', 1) AS BIGINT) END AS seq,
            CASE WHEN good AND contains(tail, '"lost":')
                THEN CAST(regexp_extract(tail, '"lost":([0-9]+)', 1) AS BIGINT) ELSE 0 END AS lost
        FROM ({_apart(known)})
    """


#: Every line of `lines` with what groups are made of, see `fshield.evidence.tables.groups`. One
#: that says that others are lost is left as it is.
_GROUPABLE = f"""
    SELECT account, region,
        CASE WHEN fit THEN '' ELSE line END AS line,
        CASE WHEN fit THEN template ELSE '' END AS template,
        CASE WHEN fit THEN coalesce(details, '') ELSE '' END AS details,
        CASE WHEN fit THEN moment ELSE '' END AS moment,
        CASE WHEN fit AND request != 'null' THEN substr(request, 2, length(request) - 2)
            ELSE '' END AS request,
        CASE WHEN fit THEN regexp_extract(tail, '"nonce":"([0-9a-f]*)"', 1) ELSE '' END AS nonce,
        CASE WHEN fit
            THEN TRY_CAST(regexp_extract(tail, '"seq":([0-9]+)', 1) AS BIGINT) ELSE 0 END AS seq
    FROM (
        SELECT *, good AND regexp_full_match(tail, '{_COUNTABLE}') AS fit
        FROM ({_apart("true")})
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
            SELECT account, region, line AS original,
                regexp_extract(tail, '"nonce":"([0-9a-f]*)"', 1) AS nonce
            FROM ({_apart("true")})
            WHERE good AND regexp_full_match(tail, '{_COUNTABLE}')
        )
        WHERE nonce IN ({names})
    """


# The rows of one batch come after what is known of their processes, as rows before the first.
_PROCESS = "PARTITION BY nonce ORDER BY ord ROWS"
FOLLOWED = f"""
    SELECT ord, template, happened, details, request, nonce, seq, lost, numbered,
        max(seq) OVER ({_PROCESS} BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before,
        last_value(happened IGNORE NULLS)
            OVER ({_PROCESS} BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS at_before,
        coalesce(first_value(nullif(function, '') IGNORE NULLS)
            OVER ({_PROCESS} BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), '') AS function,
        first_value(facts IGNORE NULLS)
            OVER ({_PROCESS} BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS facts
    FROM (
        SELECT row.ord, row.template, row.happened, row.details, row.request, row.nonce, row.seq,
            row.lost, true AS numbered,
            CASE WHEN known.function = '' THEN row.logged ELSE known.function END AS function,
            CASE WHEN known.event = 'armed' THEN known.id END AS facts
        FROM taken AS row JOIN templates AS known ON known.id = row.template
        WHERE row.seq IS NOT NULL
        UNION ALL
        SELECT -1, NULL, happened, NULL, NULL, nonce, seq, 0, true, function, facts
        FROM processes WHERE nonce IN (SELECT nonce FROM taken)
    )
"""

#: What the batch's rows say of their processes, for the next batch.
PROCESSES = """
    SELECT nonce, max(seq) AS seq, arg_max(happened, ord) FILTER (happened IS NOT NULL) AS happened,
        arg_max(function, ord) AS function, arg_max(facts, ord) AS facts
    FROM followed GROUP BY nonce
"""

#: What the reader counts: repeated, missing, clock_back.
COUNTED = """
    SELECT count(*) FILTER (seq <= before),
        coalesce(sum(greatest(0, seq - before - 1 - lost)) FILTER (seq > before), 0),
        count(*) FILTER (happened < at_before - 1000000)
    FROM followed WHERE ord >= 0
"""

#: The batch in rows that still have their template.
GROUPED = f"""
    SELECT template, details, function, facts, doubt, timely, named,
        min(happened) AS first_seen, max(happened) AS last_seen, count(*) AS events,
        sum(lost) AS lost,
        coalesce(min(nullif(request, '')), '') AS request
    FROM (
        SELECT *,
            CASE WHEN contains(details, '"/tmp') AND regexp_matches(details, '{TIMELY}')
                THEN happened END AS timely,
            CASE WHEN length(request) >= {REQUEST} AND contains(details, request)
                THEN request ELSE '' END AS named
        FROM (
            SELECT template, happened, details, request, lost, function, facts,
                CASE WHEN seq <= before THEN 'repeated' ELSE '' END AS doubt
            FROM followed WHERE ord >= 0
            UNION ALL
            SELECT template, happened, details, request, lost, function, NULL AS facts,
                CASE WHEN event IN ('violation', 'allowed') THEN 'unnumbered' ELSE '' END AS doubt
            FROM (
                SELECT row.*, known.event, known.function
                FROM taken AS row JOIN templates AS known ON known.id = row.template
                WHERE row.seq IS NULL
            )
        )
    )
    GROUP BY ALL
"""

_KEY = list(Key._fields)
_MERGED_MOMENT = (
    f"CASE WHEN rule = 'read_write_tmp' AND regexp_matches(path, '{TIMELY}') THEN first_seen END",
    f"CASE WHEN rule = 'read_write_tmp' AND length(request) >= {REQUEST}"
    " AND contains(path, request) THEN request ELSE '' END",
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
            'verb': json_extract_string(details, '$.operation'),
            'host': json_extract_string(details, '$.host'),
            'ip': json_extract_string(details, '$.ip'),
            'port': TRY_CAST(json_extract_string(details, '$.port') AS BIGINT),
            'protocol': json_extract_string(details, '$.protocol'),
            'path': json_extract_string(details, '$.path')
        } AS found
        FROM (SELECT * REPLACE (CASE WHEN details = '' THEN '{}' ELSE details END AS details)
            FROM parts)
    ) AS part
    JOIN templates AS known ON known.id = part.template
    LEFT JOIN templates AS armed ON armed.id = part.facts
"""
