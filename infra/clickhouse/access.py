"""Who may do what: readers read, the one who knows the writer's password writes.

Three layers, each enough for what it covers:
1. The engine (configuration.py): grants without any outside source, constant settings, `readonly = 2` for readers.
2. The engine's own parser says what a statement is before it runs: a reader's must be one READ_ONLY statement without
   INTO OUTFILE.
3. The engine's own syntax tree of a reader's statement is searched for what grants do not cover in chdb: the scalar
   function `file`, table functions outside a short list, system tables outside a short list. So are the expressions
   in the setting additional_table_filters, by which Grafana filters; it may stand in a statement, not in a URL.
Whatever the tree cannot be had for is refused, so a newer engine can only forbid too much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from infra.clickhouse.engine import Connection
from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.statement import first_word, tokens
from infra.clickhouse.users import WRITER, Role

FILTERS: Final = "additional_table_filters"

# The engine also calls statements CONTROL that only have a setting like mutations_sync in them.
_WRITERS_CONTROL: Final = frozenset({"SET", "USE", "INSERT", "ALTER", "DELETE", "UPDATE", "OPTIMIZE", "CREATE", "DROP"})


def check_database(role: Role, database: str) -> None:
    """Raises QueryFailed for a reader whose bare table names would be those of `system`."""
    if role is Role.READER and database.lower() == "system":
        raise QueryFailed(Code.ACCESS_DENIED, "Choose another database and write system tables as system.NAME")


def check_settings(role: Role, settings: Mapping[str, str]) -> None:
    """Raises QueryFailed for a reader's setting that is only looked at inside a statement."""
    if role is Role.READER and FILTERS in settings:
        raise QueryFailed(Code.SETTING_CONSTRAINT_VIOLATION, f"Write {FILTERS} in the statement, as SETTINGS")


def check_writer(connection: Connection, sql: str) -> bool:
    """Raises QueryFailed unless the writer may run `sql`. True when it has a result, false when it only acts."""
    kind = _kind(connection, sql)
    words = [token.text.upper() for token in tokens(sql) if not token.quoted]
    if "INFILE" in words or "OUTFILE" in words:
        raise QueryFailed(Code.ACCESS_DENIED, "INFILE and OUTFILE would use files of the server's machine")
    if words[0] == "CREATE" and "TEMPORARY" in words[:5]:
        raise QueryFailed(Code.NOT_IMPLEMENTED, "Temporary tables are not available on the embedded ClickHouse")
    if kind == "CONTROL" and words[0] not in _WRITERS_CONTROL:
        raise QueryFailed(Code.ACCESS_DENIED, f"{words[0]} is not available on the embedded ClickHouse")
    return kind == "READ_ONLY"


def check_reader(connection: Connection, sql: str, params: Mapping[str, str]) -> None:
    """Raises QueryFailed unless `sql` only reads, and only what everybody may read."""
    if _kind(connection, sql) != "READ_ONLY":
        text = f"Cannot execute query in readonly mode: this {first_word(sql)} is for user {WRITER}, with its password"
        raise QueryFailed(Code.READONLY, text)
    _check_tree(connection, sql, params)


def _kind(connection: Connection, sql: str) -> str:
    analysis = connection.analyze(sql)
    if analysis.kind == "UNKNOWN":
        raise _syntax_error(connection, sql)
    if analysis.statements != 1:
        raise QueryFailed(Code.SYNTAX_ERROR, "Syntax error: Multi-statements are not allowed")
    return analysis.kind


def _syntax_error(connection: Connection, sql: str) -> QueryFailed:
    """What the parser has against `sql`; chdb's command line (`exit`, `\\i file`) would act on some such texts."""
    try:
        connection.value("SELECT formatQuery({sql:String})", {"sql": sql})
    except QueryFailed as error:
        return QueryFailed(error.code, error.message.split(": In scope SELECT formatQuery(")[0], error.name)
    return QueryFailed(Code.SYNTAX_ERROR, "Syntax error: not a statement that can be analyzed")


_TABLE_FUNCTIONS: Final = {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "view"}
_FORBIDDEN_FUNCTIONS: Final = {"file"}
_SYSTEM_TABLES: Final = """
    aggregate_function_combinators build_options collations columns completions contributors current_roles
    data_skipping_indices data_type_families database_engines databases detached_parts dictionaries documentation
    enabled_roles events formats functions keywords licenses merge_tree_settings merges metrics mutations numbers
    numbers_mt one parts parts_columns primes privileges projection_parts projections role_grants roles settings
    settings_changes settings_profiles statements table_engines table_functions tables time_zones tokenizers
    zeros zeros_mt
"""
# Statements that parseQueryToJSON cannot show but that hold only names: allowed when they have no bracket.
_PLAIN: Final = re.compile(r"AST node of type '(ShowCreate|Exists|Show(Functions|Engine|Grants|Setting|Privileges))")
_DESCRIBE: Final = "AST node of type 'DescribeQuery'"


def _check_tree(connection: Connection, sql: str, params: Mapping[str, str]) -> None:
    try:
        tree = connection.value("SELECT parseQueryToJSON({sql:String})", {"sql": sql})
    except QueryFailed as error:
        _check_without_tree(connection, sql, params, error)
        return
    try:
        nodes = _nodes(orjson.loads(tree))
    except orjson.JSONDecodeError as error:
        raise QueryFailed(Code.ACCESS_DENIED, "The statement is nested too deeply to be checked") from error
    for node in nodes:
        _check_node(node, params)
        for expression in _filters(node):
            _check_tree(connection, f"SELECT 1 WHERE (\n{expression}\n)", params)


def _check_without_tree(connection: Connection, sql: str, params: Mapping[str, str], error: QueryFailed) -> None:
    words = list(tokens(sql))
    if words[0].says("DESCRIBE", "DESC") and _DESCRIBE in error.message:
        behind = words[1] if words[1].says("TABLE") and len(words) > 2 else words[0]
        _check_tree(connection, f"SELECT * FROM {sql[behind.end :]}", params)  # noqa: S608 - only to be parsed
        return
    plain = all(word.text != "(" and not word.says("SETTINGS") for word in words)
    if words[0].says("SHOW", "EXISTS") and _PLAIN.search(error.message) and plain:
        return
    if error.code == Code.SYNTAX_ERROR:
        raise error
    raise QueryFailed(Code.ACCESS_DENIED, f"{words[0].text.upper()} in this form is not available to readers")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _check_node(node: Mapping[str, Any], params: Mapping[str, str]) -> None:
    if isinstance(function := node.get("table_function"), dict):
        name = str(function.get("name"))
        if name.lower() not in _TABLE_FUNCTIONS:
            allowed = ", ".join(sorted(_TABLE_FUNCTIONS))
            raise QueryFailed(Code.ACCESS_DENIED, f"Table function {name} is not available to readers, only {allowed}")
    match node.get("type"):
        case "Literal":
            return
        case "QueryParameter" if "identifier" in str(node.get("param_type")).lower():
            _check_parameter(params.get(str(node.get("name")), ""))
        case "SetQuery":
            _check_settings(node)
        case "Identifier" | "TableIdentifier" if parts := node.get("name_parts"):
            _check_parts(parts)
    for key in ("name", "func_name", "database", "from"):
        if isinstance(value := node.get(key), str):
            _check_name(value)


def _check_parameter(name: str) -> None:
    if name.strip('`"').lower() == "system":  # as in {database:Identifier}.{table:Identifier}
        raise QueryFailed(Code.ACCESS_DENIED, "Write system tables as system.NAME, not with a parameter")
    _check_name(name)


def _check_name(name: str) -> None:
    _check_parts([part.strip('`"') for part in name.split(".")])


def _check_parts(parts: list[str]) -> None:
    if parts[-1] in _FORBIDDEN_FUNCTIONS and len(parts) == 1:
        raise QueryFailed(Code.ACCESS_DENIED, f"The name {parts[0]} is not available to readers: it reads files")
    if parts[0].lower() == "system" and len(parts) > 1 and parts[1] not in _SYSTEM_TABLES.split():
        raise QueryFailed(Code.ACCESS_DENIED, f"Table system.{parts[1]} is not available to readers")


def _filters(node: Mapping[str, Any]) -> Iterator[str]:
    """The expressions that SETTINGS additional_table_filters = {'table': 'expression'} adds to a statement."""
    for change in node.get("changes", ()) if node.get("type") == "SetQuery" else ():
        if change.get("name") == FILTERS:
            match change.get("value"):
                case {"field_type": "Map", "value": [*entries]}:
                    yield from (str(entry["value"][1]["value"]) for entry in entries)
                case _:
                    raise QueryFailed(Code.ACCESS_DENIED, f"Write {FILTERS} as {{'table': 'expression'}}")


def _check_settings(node: Mapping[str, Any]) -> None:
    for change in node.get("changes", ()):
        if change.get("name") in ("database", "profile"):
            raise QueryFailed(Code.ACCESS_DENIED, f"Setting {change['name']} cannot be changed inside a statement")
