"""Lists: visibility, filters, search, sorting and paging of one resource, written once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.errors import Invalid

Query = Callable[..., list[dict[str, Any]]]


@dataclass(frozen=True)
class Resource:
    """What can be listed. `base`: a SELECT whose columns the other fields name. `visible`: a condition with
    %(viewer)s, the user's id, for everybody who is not an admin; empty: everybody sees all. `fields`: the client's name
    of a filter or sort key → column; `integers` and `booleans`: those of them that are no texts; `unfiltered`: those
    that one can only sort by.
    """

    base: bytes
    fields: Mapping[str, str]
    search: Sequence[str] = ()
    integers: frozenset[str] = frozenset()
    booleans: frozenset[str] = frozenset()
    unfiltered: frozenset[str] = frozenset()
    visible: str = ""
    order: str = "-id"
    organization: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What a client asks for. `viewer` None: an admin. `personal`: only what belongs to no organization."""

    viewer: int | None = None
    personal: bool = False
    filters: Mapping[str, str] = field(default_factory=dict)
    search: str = ""
    sort: str = ""
    limit: int | None = 10
    offset: int = 0


def find(query: Query, resource: Resource, wanted: Wanted) -> tuple[int, list[dict[str, Any]]]:
    """The total, and the rows of the page."""
    condition, params = _condition(resource, wanted)
    source = resource.base.decode()
    rows = query(f"SELECT count(*) AS total FROM ({source}) t WHERE {condition}".encode(), params)
    total = int(rows[0]["total"])
    order = _order(resource, wanted.sort)
    params |= {"limit": wanted.limit, "offset": wanted.offset}
    page = f"SELECT * FROM ({source}) t WHERE {condition} ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s"
    return total, query(page.encode(), params) if total > wanted.offset else []


def find_one(query: Query, resource: Resource, key: Any, column: str = "id") -> dict[str, Any] | None:
    if isinstance(key, str) and "\0" in key:  # which PostgreSQL's texts never hold
        return None
    rows = query(f"SELECT * FROM ({resource.base.decode()}) t WHERE {column} = %(key)s".encode(), {"key": key})
    return rows[0] if rows else None


def _condition(resource: Resource, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    terms = ["true"]
    params: dict[str, Any] = {"viewer": wanted.viewer}
    if wanted.viewer is not None and resource.visible:
        terms.append(f"({resource.visible})")
    if wanted.personal and resource.organization:
        terms.append(f"{resource.organization} IS NULL")
    for number, (name, value) in enumerate(wanted.filters.items()):
        if name not in resource.unfiltered:
            terms.append(f"{resource.fields[name]} = %(filter{number})s")
            params[f"filter{number}"] = _value(resource, name, value)
    for number, word in enumerate(_text("search", wanted.search).split()[:10]):
        anywhere = " OR ".join(f"position(%(word{number})s in lower({column})) > 0" for column in resource.search)
        terms.append(f"({anywhere or 'true'})")
        params[f"word{number}"] = word.lower()
    return " AND ".join(terms), params


def _value(resource: Resource, name: str, value: str) -> int | bool | str:
    if name in resource.integers:
        return _integer(name, value)
    if name in resource.booleans:
        return _boolean(name, value)
    return _text(name, value)


def _text(name: str, value: str) -> str:
    if "\0" in value:
        raise Invalid({name: ["Null characters are not allowed."]})
    return value


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0"):
        raise Invalid({name: ["Must be a valid boolean."]})
    return value.lower() in ("true", "1")


def _integer(name: str, value: str) -> int:
    if not value.isascii() or not value.removeprefix("-").isdigit() or len(value) > 18:
        raise Invalid({name: ["Enter a number."]})
    return int(value)


def _order(resource: Resource, sort: str) -> str:
    """Unknown names are passed over, as CVAT does. The id settles ties, so that pages do not overlap."""
    parts = []
    for part in (sort or resource.order).split(",")[:10]:
        column = resource.fields.get(part.strip().removeprefix("-"))
        if column is not None:
            parts.append(f"{column} {'DESC' if part.strip().startswith('-') else 'ASC'} NULLS LAST")
    return ", ".join([*parts, "id DESC" if resource.order.startswith("-") else "id ASC"])
