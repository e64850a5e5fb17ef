"""The moment of the past that a request asks for, and the annotations as they were then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.numbers import natural
from api.responses import json_response
from api.services import services
from domain.annotation_history import Subject
from domain.errors import Invalid
from domain.saves import Moment

MOMENT: dict[str, Any] = {
    "parameters": [
        {"name": "version", "in": "query", "schema": {"type": "integer", "minimum": 0}},
        {"name": "as_of", "in": "query", "schema": {"type": "string", "format": "date-time"}},
    ]
}


def moment_of(request: Request) -> Moment:
    """`version` or `as_of` of the query; neither means now. Raises Invalid."""
    query = request.query_params
    version = version_in("version", query["version"]) if query.get("version") else None
    return moment(version, query.get("as_of"))


def moment(version: int | None, as_of: str | None) -> Moment:
    """Raises Invalid for both at once and for a time that is none."""
    if version is not None and as_of:
        raise Invalid(["Give version or as_of, not both"])
    return Moment(version, time_in("as_of", as_of) if as_of else None)


def version_in(name: str, text: str) -> int:
    """A number from 0 on. Raises Invalid."""
    number = natural(text)
    if number is None:
        raise Invalid({name: [f'A version is a number from 0 on, not "{text[:50]}".']})
    return number


def past_response(request: Request, subject: Subject, wanted: Moment) -> Response:
    """The document as it was. Raises Invalid, NotFound."""
    past = services(request).app.annotation_history.past(subject, wanted)
    return json_response({"version": past.version, **past.document()}, headers={"ETag": f'"{past.version}"'})


def time_in(name: str, text: str) -> datetime:
    """One without a time zone is in UTC, as all times that the server shows. Raises Invalid."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise Invalid({name: [f'Write a time such as 2026-11-21T14:05:00Z, not "{text[:50]}".']}) from None
    try:
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise Invalid({name: ["There is no such time in UTC."]}) from None
