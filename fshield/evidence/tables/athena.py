"""Evidence in S3 as a table of Athena, and the queries that make groups of it.

The queries are those of `fshield.evidence.tables.grouping`, written for DuckDB. sqlglot writes them
in Athena's dialect, Trino's. What the groups mean, `fshield.evidence.tables.groups` says.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fshield.errors import CouldNotRun, shown
from fshield.evidence.tables import apart, grouping, lines
from fshield.evidence.tables.groups import Group, Loose, Place

if TYPE_CHECKING:
    from sqlglot import exp

_LOCATION = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*()=-]+)*/?\Z")
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,127}(\.[a-z_][a-z0-9_]{0,127})?\Z")
_TRINO_MOMENT = "concat(substr({0}, 1, 10), ' ', substr({0}, 12, 15))"
_DAY = re.compile(r"20[0-9]{2}/[01][0-9]/[0-3][0-9]\Z")


@dataclass(frozen=True)
class Source:
    """A table of Athena.

    Args:
        table: ``NAME`` or ``DATABASE.NAME``.
        since, until: days, as ``2026/11/24``, both included; "" for no bound.
        accounts, regions: those wanted; none: all.
    """

    table: str
    since: str = ""
    until: str = ""
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.match(self.table):
            raise CouldNotRun(
                f"{shown(self.table)} is not a table's name", "small letters, digits and _"
            )
        for day in (self.since, self.until):
            if day and not _DAY.match(day):
                raise CouldNotRun(f"{shown(day)} is not a day", "2026/11/24")

    @property
    def relation(self) -> str:
        """Its lines, in DuckDB's dialect."""
        wanted = ["contains(line, 'function_shield')"]
        wanted += [f"day >= {lines.literal(self.since)}"] if self.since else []
        wanted += [f"day <= {lines.literal(self.until)}"] if self.until else []
        for column, names in (("account", self.accounts), ("region", self.regions)):
            if names:
                wanted.append(f"{column} IN ({', '.join(map(lines.literal, names))})")
        return f"SELECT line, account, region FROM {self.table} WHERE {' AND '.join(wanted)}"


def create_table(
    location: str, table: str, since: str, accounts: Sequence[str], regions: Sequence[str]
) -> str:
    """The DDL of a table over what Firehose puts below `location`/ACCOUNT/REGION/DAY: one line of
    the log a row, no matter what is in it.

    Args:
        location: ``s3://BUCKET/PREFIX``.
        table: its name, see `Source`.
        since: the first day, as ``2026/11/24``.
        accounts, regions: in which functions run.

    Raises:
        CouldNotRun: one of them is none.
    """
    for account in accounts:
        if not re.fullmatch("[0-9]{12}", account):
            raise CouldNotRun(f"{shown(account)} is not an account", "twelve digits")
    if not _LOCATION.match(location):
        raise CouldNotRun(f"{shown(location)} is not a place in S3", "s3://BUCKET/PREFIX")
    place = Source(table, since)
    folder = location.rstrip("/")
    return f"""CREATE EXTERNAL TABLE IF NOT EXISTS {place.table} (line string)
PARTITIONED BY (account string, region string, day string)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'
WITH SERDEPROPERTIES ('input.regex' = '(.*)')
STORED AS TEXTFILE
LOCATION '{folder}/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.account.type' = 'enum',
  'projection.account.values' = '{",".join(accounts)}',
  'projection.region.type' = 'enum',
  'projection.region.values' = '{",".join(regions)}',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy/MM/dd',
  'projection.day.range' = '{since},NOW',
  'projection.day.interval' = '1',
  'projection.day.interval.unit' = 'DAYS',
  'storage.location.template' = '{folder}/${{account}}/${{region}}/${{day}}/'
);
"""


def grouped(source: Source) -> str:
    """The query of groups, in Athena's dialect."""
    return transpiled(grouping.grouped(source.relation))


def lines_of(source: Source, processes: Sequence[str]) -> str:
    """The query of lines, in Athena's dialect."""
    return transpiled(grouping.lines_of(source.relation, sorted(processes)))


def transpiled(text: str) -> str:
    """A query of DuckDB's in Athena's dialect.

    Raises:
        CouldNotRun: sqlglot is not installed.
    """
    if importlib.util.find_spec("sqlglot") is None:
        raise CouldNotRun(
            "Athena's queries need sqlglot, which the extra fshield[evidence] installs",
            "pip install sqlglot beside fshield",
        )
    import sqlglot  # noqa: PLC0415 - 0.2 s that other commands do without

    query = sqlglot.parse_one(text, read="duckdb").transform(_of_trino)
    return query.sql(dialect="athena", pretty=True)


def _of_trino(node: exp.Expression) -> exp.Expression:
    """What sqlglot does not know of functions that have other names, or other meanings, there."""
    import sqlglot  # noqa: PLC0415
    from sqlglot import exp  # noqa: PLC0415

    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if name == "regexp_full_match" or isinstance(node, getattr(exp, "RegexpFullMatch", ())):
        text, pattern = _arguments(node)
        return exp.RegexpLike(this=text, expression=exp.Literal.string(f"^(?:{pattern.name})$"))
    if isinstance(node, exp.Contains):
        position = exp.func("STRPOS", *_arguments(node))
        return exp.GT(this=position, expression=exp.Literal.number(0))
    if name == "strlen":
        return exp.Length(this=node.expressions[0])
    if isinstance(node, exp.Literal) and node.is_string and node.name == apart.HOLE:
        return exp.Anonymous(this="CHR", expressions=[exp.Literal.number(ord(apart.HOLE))])
    if isinstance(node, exp.TryCast) and node.to.is_type(*exp.DataType.TEMPORAL_TYPES):
        # Trino's has a blank in the middle, and no Z.
        node.this.replace(sqlglot.parse_one(_TRINO_MOMENT.format(node.this.sql("duckdb"))))
        return node
    return node


def _arguments(node: exp.Expression) -> list[Any]:
    if node.expressions:
        return list(node.expressions)
    return [node.this, node.expression]


def group_or_line(row: Sequence[Any]) -> Group | Loose:
    """What one row of the answer to `grouped` is."""
    account, region, line, template, details, nonce, first, last, events = row[:9]
    place = Place(account or "", region or "")
    if line or not template:
        return Loose(place, line or "", line or "", int(events))
    low, high, different, total, squares, request = row[9:]
    return Group(
        place,
        template,
        details or "",
        nonce or "",
        first or "",
        last or "",
        int(events),
        int(low),
        int(high),
        int(different),
        int(total),
        int(squares),
        request or "",
    )


def line(row: Sequence[Any]) -> Loose:
    """What one row of the answer to `lines_of` is."""
    account, region, text, _ = row
    return Loose(Place(account or "", region or ""), text or "", text or "")
