"""Labels as clients write them. Their rules are the domain's; here only the types are checked."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.schemas.common import Body


class AttributeWrite(Body):
    """One attribute of a label."""

    name: str = Field(max_length=64)
    mutable: bool = False
    input_type: str
    default_value: str | int | float | bool | None = None
    values: list[str | int | float | bool] = Field(default_factory=list, max_length=10_000)


class LabelWrite(Body):
    """One label; sublabels and svg belong to skeletons."""

    name: str = Field(min_length=1, max_length=64)
    color: str | None = None
    type: str | None = None
    attributes: list[AttributeWrite] = Field(default_factory=list, max_length=1_000)
    sublabels: list[LabelWrite] = Field(default_factory=list, max_length=1_000)
    svg: str | None = Field(None, max_length=1_000_000)


def wanted(labels: list[LabelWrite]) -> list[dict[str, Any]]:
    """For the domain."""
    return [label.model_dump() for label in labels]
