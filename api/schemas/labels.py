"""Labels as clients write them. Their rules are the domain's; here only the types are checked."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.schemas.common import Body, Scalar, Text


class AttributeWrite(Body):
    """One attribute of a label."""

    name: Text = Field(max_length=64)
    mutable: bool = False
    input_type: Text
    default_value: Scalar | None = None
    values: list[Scalar] = Field(default_factory=list, max_length=10_000)


class LabelWrite(Body):
    """One label; sublabels and svg belong to skeletons."""

    name: Text = Field(min_length=1, max_length=64)
    color: Text | None = None
    type: Text | None = None
    attributes: list[AttributeWrite] = Field(default_factory=list, max_length=1_000)
    sublabels: list[LabelWrite] = Field(default_factory=list, max_length=1_000)
    svg: Text | None = Field(None, max_length=1_000_000)


def wanted(labels: list[LabelWrite]) -> list[dict[str, Any]]:
    """For the domain."""
    return [label.model_dump() for label in labels]
