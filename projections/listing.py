"""Lists: visibility, filters, search, sorting and paging of one resource, written once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from domain.errors import Invalid
from projections import json_logic
from projections.fields import Field

Query = Callable[..., list[dict[str, Any]]]


@dataclass(frozen=True)
class Resource:
    """What can be listed. `base`: a SELECT whose columns the other fields name. `visible`: a condition with
    %(viewer)s, the user's id, for everybody who is not an admin; empty: everybody sees all. `fields`: what clients
    filter and sort by. `search`: conditions, one of which must hold for each {word}. `key`: the column that tells the
    rows apart. `listed`: a condition on what lists show; others are only looked up.
    """

    base: bytes
    fields: Mapping[str, Field]
    search: Sequence[str] = ()
    visible: str = ""
    order: str = "-id"
    organization: str | None = None
    key: str = "id"
    listed: str = "true"

    @property
    def simple(self) -> list[str]:
        """The names that are also plain query parameters."""
        return [name for name, field in self.fields.items() if field.simple]


@dataclass(frozen=True)
class Wanted:
    """What a client asks for. `viewer` None: an admin. `personal`: only what belongs to no organization. `logic`: a
    filter in JSON Logic.
    """

    viewer: int | None = None
    personal: bool = False
    filters: Mapping[str, str] = field(default_factory=dict)
    logic: str = ""
    search: str = ""
    sort: str = ""
    limit: int | None = 10
    offset: int = 0


class Order(NamedTuple):
    """`columns`: those that the clause names."""

    columns: list[str]
    clause: str


def find(query: Query, resource: Resource, wanted: Wanted) -> tuple[int, list[dict[str, Any]]]:
    """The total, and the rows of the page. Raises Invalid."""
    condition, params = _condition(resource, wanted)
    params |= {"limit": wanted.limit, "offset": wanted.offset}
    order = _order(resource, wanted.sort)
    if wanted.search or wanted.logic:
        rows = query(_found_once(resource, condition, order).encode(), params)
        if rows:
            return int(rows[0]["found_total"]), rows
    source = resource.base.decode()
    counted = query(f"SELECT count(*) AS total FROM ({source}) t WHERE {condition}".encode(), params)
    total = int(counted[0]["total"])
    if total <= wanted.offset:
        return total, []
    return total, query(_found_in_order(resource, condition, order).encode(), params)


def find_one(query: Query, resource: Resource, key: Any, column: str = "id") -> dict[str, Any] | None:
    if isinstance(key, str) and "\0" in key:  # which PostgreSQL's texts never hold
        return None
    rows = query(f"SELECT * FROM ({resource.base.decode()}) t WHERE {column} = %(key)s".encode(), {"key": key})
    return rows[0] if rows else None


def _found_once(resource: Resource, condition: str, order: Order) -> str:
    """For what no index helps with: all that match are found in one go, by the few columns that decide; they are
    counted, and only the rows of the page are put together.
    """
    source, key = resource.base.decode(), resource.key
    columns = ", ".join({key: None, **dict.fromkeys(order.columns)})
    return f"""WITH matching AS MATERIALIZED (SELECT {columns} FROM ({source}) t WHERE {condition}),
        page AS (SELECT {key} FROM matching ORDER BY {order.clause} LIMIT %(limit)s OFFSET %(offset)s)
        SELECT t.*, (SELECT count(*) FROM matching) AS found_total FROM ({source}) t
        WHERE {key} = ANY (ARRAY(SELECT {key} FROM page)) ORDER BY {order.clause}"""


def _found_in_order(resource: Resource, condition: str, order: Order) -> str:
    """For whatever is found in order: by an index, or as the first of everything there is."""
    source, key = resource.base.decode(), resource.key
    keys = f"SELECT {key} FROM ({source}) t WHERE {condition} ORDER BY {order.clause} LIMIT %(limit)s OFFSET %(offset)s"
    return f"SELECT * FROM ({source}) t WHERE {key} = ANY (ARRAY({keys})) ORDER BY {order.clause}"


def _condition(resource: Resource, wanted: Wanted) -> tuple[str, dict[str, Any]]:
    terms = [resource.listed]
    params: dict[str, Any] = {"viewer": wanted.viewer}
    if wanted.viewer is not None and resource.visible:
        terms.append(f"({resource.visible})")
    if wanted.personal and resource.organization:
        terms.append(f"{resource.organization} IS NULL")
    for number, (name, value) in enumerate(wanted.filters.items()):
        column = resource.fields[name]
        terms.append(f"{column.column} = %(filter{number})s::{column.cast}")
        params[f"filter{number}"] = column.value(name, value)
    if wanted.logic:
        term, more = json_logic.condition(resource.fields, wanted.logic)
        terms.append(term)
        params |= more
    for number, word in enumerate(_words(wanted.search)):
        anywhere = " OR ".join(part.format(word=f"%(word{number})s") for part in resource.search)
        terms.append(f"({anywhere or 'true'})")
        params[f"word{number}"] = word
    return " AND ".join(terms), params


def _words(search: str) -> list[str]:
    if "\0" in search:
        raise Invalid({"search": ["Null characters are not allowed."]})
    return search.lower().split()[:10]


def _order(resource: Resource, sort: str) -> Order:
    """Unknown names are passed over, as CVAT does. The id settles ties, so that pages do not overlap: ascending, as the
    rows mostly lie, so that of many equal ones the first are found at once; without sorting, the newest first.
    """
    parts = _keys(resource, sort) or _keys(resource, resource.order)
    newest_first = resource.order.startswith("-") and not _keys(resource, sort)
    parts.append(("id", "DESC" if newest_first else "ASC"))
    return Order([column for column, _ in parts], ", ".join(" ".join(part) for part in parts))


def _keys(resource: Resource, sort: str) -> list[tuple[str, str]]:
    """Columns and directions."""
    keys = []
    for part in sort.split(",")[:10]:
        named = resource.fields.get(part.strip().removeprefix("-"))
        if named is not None:
            keys.append((named.column, "DESC" if part.strip().startswith("-") else "ASC"))
    return keys
