"""KILL QUERY, as far as it is there: `KILL QUERY WHERE query_id = '…' [SYNC]`, for one's own queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from infra.clickhouse.engine import Connection
from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.statement import output_clause, tokens

SYNC_SECONDS = 30.0


@dataclass(frozen=True)
class Kill:
    query_id: str
    sync: bool
    """Answer when it has ended."""
    report: str
    """The statement that reports it, in the format that was asked for."""


def read_kill(connection: Connection, sql: str, params: Mapping[str, str]) -> Kill | None:
    """None when `sql` is something else. Raises QueryFailed 48 for another condition than an equal query_id."""
    words = [token for token, _ in zip(tokens(sql), range(2), strict=False)]
    if len(words) < 2 or not words[0].says("KILL") or not words[1].says("QUERY"):
        return None
    tree = orjson.loads(connection.value("SELECT parseQueryToJSON({sql:String})", {"sql": sql}))
    query_id = _equal_id(tree.get("where_expression", {}), params)
    if tree.get("type") != "KillQueryQuery" or tree.get("test") or query_id is None:
        raise QueryFailed(Code.NOT_IMPLEMENTED, "KILL QUERY is available as KILL QUERY WHERE query_id = '…' [SYNC]")
    output = output_clause(sql)
    form = f" FORMAT {output.format}" if output.format else ""
    report = "SELECT 'waiting' AS kill_status, {query_id:String} AS query_id, {user:String} AS user"
    return Kill(query_id, bool(tree.get("sync")), f"{report} WHERE {{found:Bool}}{form}")


def _equal_id(condition: Mapping[str, Any], params: Mapping[str, str]) -> str | None:
    match condition:
        case {
            "type": "Function",
            "name": "equals",
            "arguments": {"children": [{"type": "Identifier", "name": "query_id"}, value]},
        }:
            if value.get("type") == "Literal" and value["value"].get("field_type") == "String":
                return str(value["value"]["value"])
            if value.get("type") == "QueryParameter":
                return params.get(str(value.get("name")))
    return None
