"""External tables: files of a form that a query can read as tables, kept in memory for as long as it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from infra.clickhouse.engine import Connection
from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.incoming import gathered
from infra.clickhouse.native_types import outer_parts
from infra.clickhouse.statement import Insert

_NAME: Final = re.compile(r"[A-Za-z_]\w{0,127}", re.ASCII)
# Formats that hold nothing but values. Values, Template or MySQLDump would not do: they hold expressions or name files.
_FORMATS: Final = re.compile(
    r"(TabSeparated|TabSeparatedRaw|TSV|TSVRaw|CSV|JSONCompactEachRow|RowBinary)(WithNames|WithNamesAndTypes)?"
    r"|JSONEachRow|JSONLines|NDJSON|Native|Parquet|Arrow|ArrowStream"
)


@dataclass(frozen=True)
class ExternalTable:
    name: str
    structure: str
    """Columns and their types: `a UInt8, b String`."""
    format: str
    data: bytes


def external_table(name: str, data: bytes, values: Mapping[str, str]) -> ExternalTable:
    """The table in a form's file of this name, as `NAME_format` and `NAME_structure` or `NAME_types` describe it."""
    structure = values.get(f"{name}_structure", "")
    if types := values.get(f"{name}_types"):
        structure = ", ".join(f"_{number} {text}" for number, text in enumerate(outer_parts(types), start=1))
    if not _NAME.fullmatch(name) or not structure:
        raise QueryFailed(
            Code.BAD_ARGUMENTS, f"External table {name!r} needs a plain name and {name}_structure or {name}_types"
        )
    format_name = values.get(f"{name}_format", "TabSeparated")
    if not _FORMATS.fullmatch(format_name):
        raise QueryFailed(Code.UNKNOWN_FORMAT, f"Format {format_name} is not available for external tables")
    return ExternalTable(name, structure, format_name, data)


def described(name: str) -> tuple[str, ...]:
    """The parameters that describe the external table of this name."""
    return f"{name}_format", f"{name}_structure", f"{name}_types"


def create(connection: Connection, table: ExternalTable, folder: Path) -> None:
    """Makes and fills it; its data passes through a file in `folder`. Raises QueryFailed for a structure that is more
    than names and types.
    """
    definition = f"CREATE TEMPORARY TABLE `{table.name}` ({table.structure}) ENGINE = Memory"
    plain = f"CREATE TEMPORARY TABLE `{table.name}` (a UInt8) ENGINE = Memory"
    if connection.analyze(definition).statements != 1 or _rest(connection, definition) != _rest(connection, plain):
        raise QueryFailed(
            Code.BAD_ARGUMENTS, f"The structure of external table {table.name} must be names and types, nothing else"
        )
    connection.run(definition)
    if table.data:
        with gathered([table.data], folder) as file:
            connection.insert(Insert(f"INSERT INTO `{table.name}`", "", table.format), file)


def _rest(connection: Connection, definition: str) -> tuple[Any, ...]:
    """All that a definition says, but for the names and types of its columns; and what the columns say besides."""
    tree = orjson.loads(connection.value("SELECT parseQueryToJSON({sql:String})", {"sql": definition}))
    columns = tree.get("columns_list", {}).pop("columns", {}).get("children", [])
    besides = {orjson.dumps({**column, "name": "", "data_type": ""}) for column in columns}
    return tree, besides
