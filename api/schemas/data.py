"""What can be changed of a task's or a job's data."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.schemas.common import MAX_INT, Body

Frame = Annotated[int, Field(ge=0, le=MAX_INT, strict=True)]


class MetaPatch(Body):
    """`deleted_frames`: all of the task or job that are to be deleted now, numbered within the task."""

    deleted_frames: list[Frame] | None = None
