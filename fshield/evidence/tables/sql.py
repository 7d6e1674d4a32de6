"""The SQL that makes the table of lines of a log.

The engine writes a line in one way only, so SQL takes it apart at fixed marks. What varies from
line to line (time, request, message, object, number) are holes; the rest is the line's template.
There are few templates, and `fshield.evidence.tables.templates` asks the reader of events what each
means. A line that is not written in this way is left to that reader as a whole. So the table is the
reader's, and SQL never has an opinion on JSON.

This is done in two steps. `_cut` runs for every line, so it is cheap: it cuts out what is the
line's own. `_meant` needs nothing but the rest, which many lines share, so DuckDB runs it once for
each different rest.
"""

from __future__ import annotations

from fshield.evidence.events import MAX_LINE
from fshield.evidence.tables.rows import COLUMNS, REQUEST, TIMELY, Key

#: Stands for a hole in a template. No line with it is taken apart: the reader of CSV ends a column
#: there, and refuses the file.
HOLE = "\x01"
_START = '{"function_shield":true,"event":"'
#: How most lines begin, up to their time.
_ACT = f'{_START}violation","event_version":1,"timestamp":"'
_ALLOWED = f'{_START}allowed","event_version":1,"timestamp":"'
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
# `_MOMENT` without its last letter, in the language of GLOB, which is faster.
_CLOCK = "20dd-[0-1]d-[0-3]dT[0-2]d:[0-5]d:[0-5]d.dddddd".replace("d", "[0-9]")
_NUMBERS = (
    r'(0|[1-9][0-9]{0,17}),"nonce":"([0-9a-f]{16})","seq":(0|[1-9][0-9]{0,17})'
    r'(,"lost":([1-9][0-9]{0,17}))?\}\r?'
)
_TAIL = f',"pid":{_NUMBERS}'
#: `_TAIL` is within so many characters before a line's last.
_ENDING = 119
#: A request's id and the tenant's are within so many, with the mark behind them.
_ASKING = 384
#: The end of a line that says nothing of others, and whose number can be squared.
_COUNTABLE = r',"pid":(0|[1-9][0-9]{0,17}),"nonce":"([0-9a-f]{16})","seq":(0|[1-9][0-9]{0,6})\}\r?'
_REQUEST = 'null|"[A-Za-z0-9-]{1,64}"'


#: An event as a string of JSON has it, up to the end of the string, without anything in it but
#: quotes that is escaped; CloudWatch's messages may have a line end at their end.
_WRAPPED = r'\{\\"function_shield\\":true(?:[^"\\]|\\")*(?:\\n)?"'
_WORD = "function_shield"
#: A file with a line longer than `_LONG` is read by the reader of single lines.
_LINE = 4 << 20
_LONG = 32 << 20
_GROUP = r'\\{0,7}"logGroup\\{0,7}"\s*:\s*\\{0,7}"/aws/lambda/([A-Za-z0-9_-]{1,140})'


def read(files: list[str], packed: bool, long: bool = False) -> str:
    """The lines of files that may have events, in their order. `logged` is the function whose log
    group a wrapping names. An error where one is longer than `_LINE`, or `_LONG` where they may be
    `long`. Files are read in pieces of this size: smaller ones stay in memory that is in use."""
    size = _LONG if long else _LINE
    names = ", ".join(literal(name) for name in files)
    return f"""
        SELECT line, '' AS logged FROM read_csv([{names}], columns = {{'line': 'VARCHAR'}},
            auto_detect = false, header = false, delim = '{HOLE}', quote = '', escape = '',
            comment = '', nullstr = '\x02', max_line_size = {size}, buffer_size = {size},
            new_line = '\\n', compression = '{"gzip" if packed else "none"}')
        WHERE contains(line, '{_WORD}')
    """


#: One row where a line of `placed` may be wrapped.
ANY_WRAPPED = f"""
    SELECT 1 FROM placed WHERE contains(coalesce(line, text), '{{\\"{_WORD}\\":true') LIMIT 1
"""


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


def plain(source: str) -> str:
    """The lines of `source`, unwrapped where they are wrapped."""
    return f"SELECT * FROM ({unwrapped(source)}) WHERE line != ''"


def literal(text: str) -> str:
    """`text` as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


# `text` is the line where it begins with an event, or what is behind its time.
_PLACED = f"""
    SELECT *, CASE
        WHEN starts_with(line, '{_START}') THEN line
        WHEN strpos(line, '{_WORD}') = strpos(line, '{_START}') + 2
            AND NOT contains(line, 'logGroup')
            THEN substr(line, strpos(line, '{_START}'))
        ELSE '' END AS text
    FROM lines
"""


def _cut(placed: str) -> str:
    """Lines of `placed` cut at what every line has of its own: moment, request, tail. What is
    between them (`head`, `body`, `asked`, `origin`) few lines have alone. `whole`: the line can be
    cut, and its own parts are what the engine writes.

    A mark is looked for where the engine writes it, and not in all of the line. Where another
    stands before it, that one is in `body` or `origin`, and so in the template."""
    return f"""
        SELECT *, coalesce(cuttable AND clock IS NOT NULL
            AND regexp_full_match(moment, '{_MOMENT}')
            AND regexp_full_match(tail, '{_TAIL}')
            AND (NOT is_act OR regexp_full_match(request, '{_REQUEST}')), false) AS whole
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
                                    starts_with(text, '{_START}violation"')
                                        OR starts_with(text, '{_START}allowed"') AS is_act,
                                    CASE WHEN starts_with(text, '{_ACT}') THEN {len(_ACT) - 12}
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


def _meant(cut: str) -> str:
    """What is between the own parts of lines of `cut`: their template, and their object.
    `formed`: message and object are what the engine writes. Nothing in it differs between lines
    whose `head`, `body`, `asked` and `origin` are alike."""
    return f"""
        SELECT *, coalesce(template IS NOT NULL
            AND (asked = '' OR (regexp_full_match(message, '{_TEXT}')
                AND regexp_full_match(details, '{DETAILS}'))), false) AS formed
        FROM (
            SELECT *,
                CASE
                    WHEN asked = '' THEN head || '{HOLE}' || body || '{HOLE}'
                    WHEN marked
                        THEN head || '{HOLE}' || substr(body, 1, at_message - 1) || '{HOLE}'
                            || regexp_replace(
                                substr(body, at_policy, at_details - at_policy), '{_ENTRY}', '')
                            || '{HOLE}' || CASE WHEN asked = 'n' THEN 'n' ELSE 's' END
                            || '{HOLE}' || origin || '{HOLE}'
                END AS template,
                CASE WHEN marked
                    THEN substr(body, at_message + 11, at_policy - at_message - 11) END AS message,
                CASE WHEN marked THEN substr(body, at_details + 11) END AS details
            FROM (
                SELECT *,
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
_APART = f"SELECT *, whole AND formed AS good FROM ({_meant(_cut(_PLACED))})"

# The parts of a `tail` that is what the engine writes.
_AT_NONCE = """(strpos(tail, ',"nonce":"') + 10)"""
_NONCE = f"substr(tail, {_AT_NONCE}, 16)"
_SEQ = """regexp_extract(tail, '"seq":([0-9]+)', 1)"""


# Marks that `_VARYING` splits a line at. What begins with a rare character is found faster.
_LEVEL = 'Z","level":"'
_ASKED = 'Id":'
_RING = ',"ring":"'
_ORIGIN = _RING[5:]
_PID = '},"pid":'
# What stands before the mark of a request's id.
_BEFORE = ',"request'

# What acts of a known kind differ in. The marks of what is between are where `_cut` finds them:
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
            AND moment GLOB '{_CLOCK}'
            AND regexp_full_match(concat(asking, tail), '({_REQUEST}){_RING[:5]}{_NUMBERS}')
            THEN concat(act, asking[1]) END AS shape
    FROM (
        SELECT *, ends[1] AS origin, ends[2] AS tail, string_split(ends[2], '"') AS words,
            begins[2] AS moment,
            CASE begins[1] WHEN '{_ACT[:-13]}' THEN 'v' WHEN '{_ALLOWED[:-13]}' THEN 'a' END AS act
        FROM (
            SELECT *, fronts[2] AS body, string_split(fronts[1], '"timestamp":"') AS begins,
                asked[1] AS asking, string_split(asked[2], '{_PID}') AS ends
            FROM (
                SELECT *, CASE WHEN len(halves) = 2 THEN string_split(halves[1], '{_LEVEL}')
                        END AS fronts,
                    CASE WHEN len(halves) = 2 THEN string_split(halves[2], '{_ORIGIN}')
                        END AS asked
                FROM (SELECT *, string_split(text, '{_ASKED}') AS halves FROM ({_PLACED}))
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
    FROM ({_PLACED})
"""


def placed(source: str, known: bool) -> str:
    """The lines of `source`, in their order: those of acts of `kinds` with what is their own, and
    others as they are, to be cut. `text` is what is cut; `line` only where it is another.

    A line is read once here, so this is what most of the time of a table goes to. Lines are
    numbered before the join, because it does not keep their order. DuckDB does this on one
    processor, so several lanes do it at once."""
    return f"""
        WITH lines AS NOT MATERIALIZED (
            SELECT *, row_number() OVER () - 1 AS number FROM ({source}))
        SELECT number, known.id AS act, happened, request, nonce, seq, lost, logged,
            CASE WHEN known.id IS NULL THEN text END AS text,
            CASE WHEN known.id IS NULL AND NOT starts_with(line, '{_START}') THEN line END AS line
        FROM ({_VARYING if known else _UNKNOWN}) AS own LEFT JOIN kinds AS known
            ON known.shape = own.shape AND known.body = own.body AND known.origin = own.origin
                AND own.happened IS NOT NULL
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
            TRY_CAST({_SEQ} AS BIGINT)) AS seq,
        CASE WHEN contains(tail, '"lost":')
            THEN TRY_CAST(regexp_extract(tail, '"lost":([0-9]+)', 1) AS BIGINT) ELSE 0 END AS lost
    FROM (SELECT *, at_pid + {_AT_NONCE} - 1 AS at_nonce
        FROM ({_cut("SELECT number, text, logged FROM placed WHERE act IS NULL")}))
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
    FROM ({_meant(_COMMON)})
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
        CASE parts[1] WHEN '{_ACT}' THEN concat('v', parts[3])
            WHEN '{_ALLOWED}' THEN concat('a', parts[3]) END AS shape,
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
        CASE WHEN fit THEN {_NONCE} ELSE '' END AS nonce,
        CASE WHEN fit THEN TRY_CAST({_SEQ} AS BIGINT) ELSE 0 END AS seq
    FROM (
        SELECT *, good AND regexp_full_match(tail, '{_COUNTABLE}') AS fit
        FROM ({_APART})
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
            SELECT account, region, line AS original, {_NONCE} AS nonce
            FROM ({_APART})
            WHERE good AND regexp_full_match(tail, '{_COUNTABLE}')
        )
        WHERE nonce IN ({names})
    """


def stepped(order: str = "") -> str:
    """The numbered rows of `taken`, and the run that each is in.

    A run is a stretch of rows that are of one process, whose numbers rise, and that tell the same
    of their process. Within a run, all that a row follows is the row before it.

    Args:
        order: ``ORDER BY ord``; without it, the order of `taken`, which needs no sorting.
    """
    return f"""
        SELECT *, max(CASE WHEN begins THEN ord END)
            OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS run
        FROM (
            SELECT * EXCLUDE (above, beside),
                coalesce(nonce != above OR seq <= previous OR function != beside
                    OR facts IS NOT NULL OR happened IS NULL OR at_previous IS NULL, true) AS begins
            FROM (
                SELECT *,
                    lag(ord) OVER ({order}) AS behind,
                    lag(nonce) OVER ({order}) AS above, lag(function) OVER ({order}) AS beside,
                    lag(seq) OVER ({order}) AS previous, lag(happened) OVER ({order}) AS at_previous
                FROM taken WHERE seq IS NOT NULL
            )
        )
    """


#: How many rows of `stepped` are not in order.
OUT_OF_ORDER = "SELECT count(*) FROM stepped WHERE ord <= behind"

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
        SELECT run, any_value(nonce) AS nonce, max(seq) AS seq,
            arg_max(happened, ord) AS happened, any_value(function) AS function,
            any_value(facts) AS facts
        FROM stepped GROUP BY run
        UNION ALL
        SELECT -1, nonce, seq, happened, function, facts
        FROM processes WHERE nonce IN (SELECT nonce FROM stepped)
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
    FROM stepped AS row JOIN runs AS its ON its.run = row.run
    UNION ALL
    SELECT act, happened, request, NULL, lost, function, NULL, NULL, NULL
    FROM taken WHERE seq IS NULL
"""

#: The batch's rows by act, and what the reader counts: `missing`, `back`.
GROUPED = f"""
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
        FROM ({_FOLLOWED}) AS row JOIN (
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

#: The batch in rows that still have their template.
PARTS = """
    SELECT template, details, part.* EXCLUDE (act, missing, back)
    FROM grouped AS part JOIN (SELECT id, template, details FROM acts) AS known ON id = act
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
