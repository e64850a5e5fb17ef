"""What of the schema a server has already: a start in order then asks for nothing but that."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from clickhouse_connect.driver.client import Client

_ONCE: Final = re.compile(r"CREATE (TABLE|MATERIALIZED VIEW) IF NOT EXISTS \S+\.(?P<name>\w+)\s")
_VIEW: Final = re.compile(r"CREATE OR REPLACE VIEW \S+\.(?P<name>\w+)\s")


def definitions(client: Client, database: str) -> dict[str, str]:
    """How the server would make each table and view that it has."""
    query = "SELECT name, create_table_query FROM system.tables WHERE database = {database:String}"
    rows = client.query(query, parameters={"database": database}).result_rows
    return {str(name): str(definition) for name, definition in rows}


def needless(client: Client, statements: Sequence[str], there: Mapping[str, str]) -> set[str]:
    """The statements that would change nothing: of tables and materialized views that are there, which stay as they
    are, and of views that are, in the server's own words, what they would be.
    """
    once = {text for text in statements if (made := _ONCE.match(text)) and made["name"] in there}
    views = {text: made["name"] for text in statements if (made := _VIEW.match(text)) and made["name"] in there}
    if not views:
        return once
    query = "SELECT replaceOne(formatQuerySingleLine(arrayJoin(%(views)s)), 'OR REPLACE ', '')"
    words = client.query(query, parameters={"views": list(views)}).result_columns[0]
    return once | {text for (text, name), said in zip(views.items(), words, strict=True) if said == there[name]}
