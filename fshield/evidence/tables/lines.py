"""The SQL that reads the lines of files, and finds events in strings of JSON."""

from __future__ import annotations

from fshield.evidence.tables.apart import HOLE, WORD

#: An event as a string of JSON has it, up to the end of the string, without anything in it but
#: quotes that is escaped; CloudWatch's messages may have a line end at their end.
_WRAPPED = r'\{\\"function_shield\\":true(?:[^"\\]|\\")*(?:\\n)?"'
#: A file with a line longer than `_LONG` is read by the reader of single lines.
_LINE = 16 << 20
_LONG = 32 << 20
_GROUP = r'\\{0,7}"logGroup\\{0,7}"\s*:\s*\\{0,7}"/aws/lambda/([A-Za-z0-9_-]{1,140})'


def literal(text: str) -> str:
    """`text` as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


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
        WHERE contains(line, '{WORD}')
    """


#: One row where a line of `placed` may be wrapped.
ANY_WRAPPED = f"""
    SELECT 1 FROM placed WHERE contains(coalesce(line, text), '{{\\"{WORD}\\":true') LIMIT 1
"""


def unwrapped(source: str) -> str:
    """The lines of `source`, and in place of those that hold nothing but whole events in strings of
    JSON these events: what `aws logs filter-log-events` prints, and a subscription's records.

    A line of which this is not sure stays: each place where an event could begin must begin one,
    and end with its string.
    """
    begins = f"(length(line) - length(replace(line, '{WORD}', ''))) // {len(WORD)}"
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
                    CASE WHEN contains(line, '{{\\"{WORD}\\":true')
                        THEN regexp_extract_all(line, '{_WRAPPED}') ELSE [] END AS events
                FROM ({source})
            )
        )
    """


def plain(source: str) -> str:
    """The lines of `source`, unwrapped where they are wrapped."""
    return f"SELECT * FROM ({unwrapped(source)}) WHERE line != ''"
