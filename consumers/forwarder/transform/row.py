"""What a transform makes of an event: rows, without what the envelope says anyway."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeVar

import orjson

from domain.event import Body

MAX_COUNT = 65_535
"""The most that the column `count` (UInt16, as CVAT has it) takes."""

MAX_DURATION = 2**32 - 1
"""Milliseconds: the most that the column `duration` (UInt32, as CVAT has it) takes."""

MAX_ROWS = 65_535
"""Of one event: the columns `row` and `rows` are UInt16."""

SINGLE_ROWS = 60_000
"""Of an event that would have more than MAX_ROWS, so many stand as they are."""


class Who(NamedTuple):
    """The columns that say whose doing something was."""

    user_id: int | None = None
    user_name: str | None = None
    user_email: str | None = None
    org_id: int | None = None
    org_slug: str | None = None


class Row(NamedTuple):
    """One analytics row. `scope` and the columns after it mean what they mean in CVAT; `amount` is its `count`.

    `payload`: JSON data of the row's own; who asked for it is added to every row. A text is JSON that stands as it is.
    `project_id`, `task_id`, `job_id`: where they are not those of the event's body. `duration`: milliseconds. `time`:
    where it is not that of the event; all times of one event are of the same month. `who`: where it is not
    who recorded the event.
    """

    scope: str
    obj_name: str | None = None
    obj_id: int | None = None
    obj_val: str | None = None
    amount: int | None = None
    payload: dict[str, Any] | str | None = None
    task_id: int | None = None
    job_id: int | None = None
    project_id: int | None = None
    duration: int = 0
    time: datetime | None = None
    source: Literal["server", "client"] = "server"
    who: Who | None = None


Transform = Callable[[Any], Iterable[Row]]
_transforms: dict[type[Body], Transform] = {}
T = TypeVar("T", bound=Transform)


def transforms(body_type: type[Body]) -> Callable[[T], T]:
    """Register the function that turns a body of this type into rows."""

    def register(function: T) -> T:
        _transforms[body_type] = function
        return function

    return register


def has_transform(body_type: type[Body]) -> bool:
    return body_type in _transforms


def rows_of(body: Body) -> list[Row]:
    """The rows of an event: always at least one, so that every position can be found again. Raises LookupError for a
    type without a transform.
    """
    try:
        transform = _transforms[type(body)]
    except KeyError:
        raise LookupError(f"{body.type_name} has no transform: ClickHouse would not get it") from None
    rows = list(transform(body)) or [Row("record:event", body.type_name)]
    return rows if len(rows) <= MAX_ROWS else [*rows[:SINGLE_ROWS], *_together(rows[SINGLE_ROWS:])]


def _together(rows: Sequence[Row]) -> Iterator[Row]:
    """Of an event that concerns more things than it can have rows, say a task with 100,000 jobs: the things by scope,
    counted, their ids in the payload.
    """
    by_scope: dict[str, list[int | None]] = {}
    for row in rows:
        by_scope.setdefault(row.scope, []).append(row.obj_id)
    for scope, ids in by_scope.items():
        for part in in_portions(ids):
            yield Row(scope, amount=len(part), payload={"ids": part})


def as_text(value: Any) -> str | None:
    """A field's value as the text columns show it: a string as it is, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()


def field_updates(
    scope: str, changes: dict[str, dict[str, Any]], payload: dict[str, Any] | None = None
) -> Iterator[Row]:
    """One row per changed field, as CVAT has it. `changes`: field → {"from": old, "to": new}. A relation (`owner_id`)
    goes by its own name (`owner`), `obj_id` is what it leads to, and the value a user's name, where the event has it.
    """
    for field, change in changes.items():
        old, new = change["from"], change["to"]
        related = field.endswith("_id") and isinstance(new, int)
        yield Row(
            scope,
            field.removesuffix("_id"),
            new if related else None,
            as_text(change.get("name", new)),
            payload={**(payload or {}), "old_value": old},
        )


def described(body: Body, *fields: str) -> dict[str, Any]:
    """The named fields of a body, as a payload."""
    return {field: getattr(body, field) for field in fields}


def person(user_id: int | None) -> dict[str, int] | None:
    """A user as documents of the API refer to one, as far as an event knows them."""
    return None if user_id is None else {"id": user_id}


def countable(number: int) -> int | None:
    """For counts that must stay on one row: None when the column can't hold it (the payload has it then)."""
    return number if number <= MAX_COUNT else None


def in_portions(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cuts a list so that each part can be counted; sums over rows stay right."""
    for start in range(0, len(items), MAX_COUNT):
        yield items[start : start + MAX_COUNT]
