"""The SQL that reads the lines of files, and finds events in strings of JSON."""

from __future__ import annotations

from fshield.evidence.tables.apart import HOLE, WORD

#: How an event begins in a string of JSON, and how it ends there with its string; CloudWatch's
#: messages may have a line end at their end.
_WRAPPED = rf"{{\"{WORD}\":true"
_ENDS = (r'}\n"', '}"')
#: A file with a line longer than `_LONG` is read by the reader of single lines.
_LINE = 16 << 20
_LONG = 32 << 20
#: So little is read at once where only the first lines are wanted.
_FIRST = 2 << 20
_GROUP = r'\\{0,7}"logGroup\\{0,7}"\s*:\s*\\{0,7}"/aws/lambda/([A-Za-z0-9_-]{1,140})'


def literal(text: str) -> str:
    """`text` as a string of SQL."""
    return "'" + text.replace("'", "''") + "'"


def read(files: list[str], packed: bool, long: bool = False, first: bool = False) -> str:
    """The lines of files that may have events, in their order. `logged` is the function whose log
    group a wrapping names. An error where one is longer than `_LINE`, or `_LONG` where they may be
    `long`, or `_FIRST` where only the `first` are wanted. Files are read in pieces of this size:
    smaller ones stay in memory that is in use."""
    size = _FIRST if first else _LONG if long else _LINE
    names = ", ".join(literal(name) for name in files)
    return f"""
        SELECT line, '' AS logged FROM read_csv([{names}], columns = {{'line': 'VARCHAR'}},
            auto_detect = false, header = false, delim = '{HOLE}', quote = '', escape = '',
            comment = '', nullstr = '\x02', max_line_size = {size}, buffer_size = {size},
            new_line = '\\n', compression = '{"gzip" if packed else "none"}')
        WHERE contains(line, '{WORD}')
    """


#: One row where a line of `placed` may be wrapped. One that has `common` is an event.
ANY_WRAPPED = f"""
    SELECT 1 FROM placed
    WHERE common IS NULL AND contains(coalesce(line, text), '{_WRAPPED}') LIMIT 1
"""


def unwrapped(source: str) -> str:
    """The lines of `source`, and in place of those that hold nothing but whole events in strings of
    JSON these events: what `aws logs filter-log-events` prints, and a subscription's records.

    A line of which this is not sure stays: each place where an event could begin must begin one,
    and from there to the mark of its end must be one string of JSON. Where the string ends before,
    it is none. No escape may make a `HOLE`.
    """
    end = f"CASE WHEN contains(line, '{_ENDS[0]}') THEN '{_ENDS[0]}' ELSE '{_ENDS[1]}' END"
    inside = "CASE WHEN contains(piece, ending) THEN string_split(piece, ending)[1] END"
    # This takes the escapes out of a string faster than `replace` does.
    event = f"""json_extract_string('"{_WRAPPED}' || {inside} || '}}"', '$')"""
    return f"""
        SELECT unnest(CASE WHEN sure THEN events ELSE [line] END) AS line,
            CASE WHEN sure AND contains(line, 'logGroup')
                THEN regexp_extract(line, '{_GROUP}', 1) ELSE '' END AS logged
        FROM (
            SELECT line, events, coalesce(len(events) = begins
                AND len(list_filter(events, lambda event:
                    coalesce(contains(event, '{HOLE}'), true))) = 0, false) AS sure
            FROM (
                SELECT line, len(string_split(line, '{WORD}')) - 1 AS begins,
                    CASE WHEN len(pieces) > 1
                        THEN TRY(list_transform(pieces[2:], lambda piece: {event})) END AS events
                FROM (
                    SELECT line, string_split(line, '{_WRAPPED}') AS pieces, {end} AS ending
                    FROM ({source})
                )
            )
        )
    """
