"""What a topology does to the rows between the domain's transforms and a sink: filter, redact, enrich.

Each step follows from the event alone, so that what is sent again is the same; and an event of which nothing is left
keeps one row that only tells its position, so that it can be proved that none is missing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Literal

import orjson

from consumers.forwarder.people import without_people
from consumers.forwarder.rows import COLUMNS, Shaper, TableRow, table_rows
from domain.event import Event

Step = Callable[[list[TableRow]], list[TableRow]]
"""Takes all rows of an event."""

PLACE = {name: number for number, name in enumerate(COLUMNS)}
SCOPE, PAYLOAD, ROW, ROWS = (PLACE[name] for name in ("scope", "payload", "row", "rows"))
BLANK = tuple(PLACE[name] for name in ("obj_name", "obj_id", "obj_val", "count"))

Redactable = Literal[
    "obj_name",
    "obj_id",
    "obj_val",
    "user_id",
    "user_name",
    "user_email",
    "org_id",
    "org_slug",
    "access_token_id",
    "remote_addr",
    "stream",
    "correlation_id",
]
"""Columns that can be left out, beside keys of the payload."""


def shaper(steps: Sequence[Step]) -> Shaper:
    """The domain's transforms, and behind them these steps."""
    if not steps:
        return table_rows

    def rows(event: Event) -> list[TableRow]:
        shaped = table_rows(event)
        for step in steps:
            shaped = step(shaped)
        return shaped

    return rows


def keep(scopes: Iterable[str], but: Iterable[str] = ()) -> Step:
    """Only rows whose scope fits one of the patterns (`create:*`), and none of `but`."""
    wanted, unwanted = tuple(scopes), tuple(but)

    @lru_cache(maxsize=10_000)
    def fits(scope: str) -> bool:
        return any(fnmatchcase(scope, pattern) for pattern in wanted) and not any(
            fnmatchcase(scope, pattern) for pattern in unwanted
        )

    def step(rows: list[TableRow]) -> list[TableRow]:
        kept = [row for row in rows if fits(row[SCOPE])]
        if len(kept) == len(rows):
            return rows
        return _numbered(kept or [_marker(rows[0])])

    return step


def redact(columns: Iterable[Redactable], payload: Iterable[str], key: bytes | None, *, people: bool = False) -> Step:
    """Without these columns and these keys of the payload (`request.user_agent`), and with `people` without whatever
    tells who somebody is (people.py). With a `key`, columns get a code in place of the value instead, the same for the
    same value.
    """
    names = list(columns)
    paths = [path.split(".") for path in payload]

    def code(value: Any) -> str | int | None:
        return None if key is None or value is None else _code(value, key)

    def step(rows: list[TableRow]) -> list[TableRow]:
        return [row_without(row) for row in rows]

    def row_without(row: TableRow) -> TableRow:
        cells = dict(zip(COLUMNS, row, strict=True))
        listed: dict[str, Any] = {name: code(cells[name]) for name in names}
        if people:
            without_people(cells, code)
        cells |= listed
        cells["stream"] = cells["stream"] or ""  # can't be NULL
        if paths:
            cells["payload"] = _without(cells["payload"], paths)
        return tuple(cells.values())

    return step


def enrich(values: dict[str, Any]) -> Step:
    """With these values in the payload, if it has none of the name. A client's payload that is no object stays as it
    is: it has no place for them.
    """

    def step(rows: list[TableRow]) -> list[TableRow]:
        return [(*row[:PAYLOAD], enriched(row[PAYLOAD]), *row[PAYLOAD + 1 :]) for row in rows]

    def enriched(payload: str) -> str:
        own = orjson.loads(payload)
        return orjson.dumps(values | own).decode() if isinstance(own, dict) else payload

    return step


def _numbered(rows: list[TableRow]) -> list[TableRow]:
    return [(*row[:ROW], number, len(rows), *row[ROWS + 1 :]) for number, row in enumerate(rows)]


def _marker(row: TableRow) -> TableRow:
    cells = list(row)
    cells[SCOPE], cells[PAYLOAD] = "record:event", "{}"
    for place in BLANK:
        cells[place] = None
    return tuple(cells)


def _code(value: str | int, key: bytes) -> str | int:
    digest = hmac.digest(key, str(value).encode(), "sha256")
    return digest[:16].hex() if isinstance(value, str) else int.from_bytes(digest[:7])


def _without(payload: str, paths: list[list[str]]) -> str:
    value = orjson.loads(payload)
    for *parents, last in paths:
        holder = value
        for name in parents:
            holder = holder.get(name) if isinstance(holder, dict) else None
        if isinstance(holder, dict):
            holder.pop(last, None)
    return orjson.dumps(value).decode()
