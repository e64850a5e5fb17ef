"""Pages of lists, in CVAT's envelope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api import urls
from api.numbers import natural
from api.organizations import organization_context
from api.responses import json_response
from api.services import services
from domain.errors import NotFound
from domain.event import Context
from projections.listing import Resource, Wanted, find

DEFAULT_SIZE = 10
MAX_SIZE = 10_000
Shape = Callable[[dict[str, Any], str], dict[str, Any]]
"""`shape(row, base URL)`: what the client sees of a row."""


def page_response(
    request: Request, context: Context, resource: Resource, shape: Shape, filters: dict[str, str] | None = None
) -> Response:
    """One page of what the caller may see. `filters`: given by the route, beside those of the query."""
    number, size = asked_page(request)
    query = request.query_params
    wanted = Wanted(
        viewer=None if context.actor.is_admin else context.actor.user_id,
        personal=_personal(request),
        filters={name: query[name] for name in resource.simple if query.get(name)} | (filters or {}),
        logic=query.get("filter", ""),
        search=query.get("search", ""),
        sort=query.get("sort", ""),
        limit=size,
        offset=(number - 1) * (size or 0),
    )
    total, rows = find(services(request).database.query, resource, wanted)
    if number > 1 and not rows:
        raise NotFound("Invalid page.")
    base = urls.base(request)
    return json_response(envelope(request, total, [shape(row, base) for row in rows], number, size))


def envelope(
    request: Request, total: int, results: list[dict[str, Any]], number: int = 1, size: int | None = None
) -> dict[str, Any]:
    more = size is not None and number * size < total
    return {
        "count": total,
        "next": _link(request, number + 1) if more else None,
        "previous": _link(request, number - 1) if number > 1 else None,
        "results": results,
    }


def asked_page(request: Request) -> tuple[int, int | None]:
    """Number and size; a size of None means everything."""
    query = request.query_params
    number = _positive(query.get("page", "1"))
    if number is None:
        raise NotFound("Invalid page.")
    if query.get("page_size") == "all":
        return 1, None
    return number, min(_positive(query.get("page_size", "")) or DEFAULT_SIZE, MAX_SIZE)


def _positive(text: str) -> int | None:
    return natural(text, digits=9) or None


def _personal(request: Request) -> bool:
    organization = organization_context(request)
    return organization.given and organization.id is None


def _link(request: Request, number: int) -> str:
    url = request.url.include_query_params(page=number)
    return f"{urls.base(request)}{url.path}?{url.query}"
