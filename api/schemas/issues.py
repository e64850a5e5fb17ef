"""Issues and comments as clients write them."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from api.schemas.common import MAX_INT, Body, Id, Patch, Text


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("A valid number is required.")
    return value


Coordinate = Annotated[float, AfterValidator(_finite)]
Position = Annotated[list[Coordinate], Field(max_length=10_000)]
Message = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=100_000)]


class IssueWrite(Body):
    """An issue to open. `position`: x, y, x, y … in pixels."""

    job: Id
    frame: Annotated[int, Field(ge=0, le=MAX_INT)]
    position: Position
    message: Message
    assignee: Id | None = None
    resolved: bool = False


class IssuePatch(Patch):
    """Fields of an issue to change."""

    position: Position = []
    assignee: Id | None = None
    resolved: bool = False


class CommentWrite(Body):
    """Something to say about an issue."""

    issue: Id
    message: Message


class CommentPatch(Patch):
    """A comment in other words."""

    message: Message = ""
