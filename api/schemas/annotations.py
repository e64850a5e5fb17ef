"""Request bodies about annotations, other than the annotations themselves."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.schemas.common import Body, Text


class RestoreAnnotations(Body):
    """What is to come back: a version that the history lists, or what stood at a time. One of both."""

    version: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    as_of: Text | None = None
