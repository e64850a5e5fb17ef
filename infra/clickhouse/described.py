"""What the migrations say about tables and views, for the reference."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from infra.clickhouse.schema import statements

_RELATION: Final = re.compile(r"CREATE (TABLE IF NOT EXISTS|OR REPLACE VIEW) \w+\.(?P<name>\w+)")
_COLUMN: Final = re.compile(
    r"^    (?P<name>\w+) (?P<type>[^']\S*(?: \S+\))?).*? COMMENT '(?P<comment>(?:[^']|'')*)'", re.MULTILINE
)
_COMMENT: Final = re.compile(r"\nCOMMENT '((?:[^']|'')*)'$")
_ORDER: Final = re.compile(r"\nORDER BY \((.+)\)\n")


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    comment: str


@dataclass(frozen=True)
class Relation:
    """A table or a view. `order`: the columns that a table is sorted by."""

    name: str
    kind: Literal["table", "view"]
    comment: str
    columns: tuple[Column, ...]
    order: str | None


def relations() -> list[Relation]:
    """All tables and views, in the order of the migrations."""
    return [_relation(found["name"], statement) for statement in statements() if (found := _RELATION.match(statement))]


def _relation(name: str, statement: str) -> Relation:
    comment, order = _COMMENT.search(statement), _ORDER.search(statement)
    if comment is None:
        raise ValueError(f"{name} has no comment")
    columns = tuple(
        Column(found["name"], found["type"], _unquoted(found["comment"])) for found in _COLUMN.finditer(statement)
    )
    kind: Literal["table", "view"] = "table" if statement.startswith("CREATE TABLE") else "view"
    return Relation(name, kind, _unquoted(comment[1]), columns, order[1] if order else None)


def _unquoted(text: str) -> str:
    return text.replace("''", "'")
