"""Labels as clients write them. Their rules are the domain's; here only the types are checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from api.schemas.common import AS_TEXT, Body, Id, Scalar, Text

Name = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=64)]
"""Without the blanks around it, as CVAT keeps names."""


Default = Annotated[Text, StringConstraints(max_length=128), AS_TEXT]


class AttributeWrite(Body):
    """One attribute of a label."""

    name: Name
    mutable: bool = False
    input_type: Text
    default_value: Default | None = None
    values: list[Scalar] = Field(default_factory=list, max_length=10_000)


class LabelWrite(Body):
    """One label; sublabels and svg belong to skeletons."""

    name: Name = Field(min_length=1)
    color: Text | None = None
    type: Text | None = None
    attributes: list[AttributeWrite] = Field(default_factory=list, max_length=1_000)
    sublabels: list[LabelWrite] = Field(default_factory=list, max_length=1_000)
    svg: Text | None = Field(None, max_length=1_000_000)


class AttributePatch(Body):
    """An attribute to change, by its id or its name; or, by a new name, to add."""

    id: Id | None = None
    name: Name = ""
    mutable: bool = False
    input_type: Text = ""
    default_value: Default | None = None
    values: list[Scalar] = Field(default_factory=list, max_length=10_000)


class LabelFields(Body):
    """Fields of a label to change. A color that is blank is chosen by the name."""

    name: Name = ""
    color: Text | None = None
    type: Text | None = None
    attributes: list[AttributePatch] = Field(default_factory=list, max_length=1_000)
    svg: Text | None = Field(None, max_length=1_000_000)
    sublabels: list[LabelEntry] = Field(default_factory=list, max_length=1_000)


class LabelEntry(LabelFields):
    """One entry of a list of edits: with an id, a label to change or (`deleted`) to delete; without, a new one."""

    id: Id | None = None
    deleted: bool = False


class LabelPatch(LabelFields):
    """One label, edited by itself."""

    deleted: bool = False


def edits(labels: Sequence[LabelFields]) -> list[dict[str, Any]]:
    """For the domain: only what was sent."""
    return [label.model_dump(exclude_unset=True) for label in labels]


def wanted(labels: list[LabelWrite]) -> list[dict[str, Any]]:
    """For the domain."""
    return [label.model_dump() for label in labels]
