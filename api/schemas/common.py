"""What request bodies share."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from domain.errors import Forbidden

MAX_INT = 2**31 - 1


def _as_text(value: Any) -> Any:
    """A number or a truth value as its text. NaN and infinity, which JSON doesn't have, stay what they are: no text."""
    if isinstance(value, bool):
        return "true" if value else "false"  # as annotations spell it
    if isinstance(value, float) and not math.isfinite(value):
        return value
    return str(value) if isinstance(value, int | float) else value


Text = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""PostgreSQL's texts never hold a null character."""
Name = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
"""Without the blanks around it, as CVAT keeps names; so it can't be of blanks only."""
AS_TEXT = BeforeValidator(_as_text, json_schema_input_type=str | int | float | bool)
Scalar = Annotated[Text, AS_TEXT]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]


def choice(*values: str) -> AfterValidator:
    """One of these texts; refused in CVAT's words."""

    def check(value: str) -> str:
        if value not in values:
            raise PydanticCustomError("choice", '"{value}" is not a valid choice.', {"value": value[:50]})
        return value

    return AfterValidator(check)


class Body(BaseModel):
    """A request body. Fields that it doesn't know are passed over."""

    model_config = ConfigDict(extra="ignore", strict=False)


class Patch(BaseModel):
    """Some fields of a resource. One that can't be written is refused as CVAT does: with 403."""

    model_config = ConfigDict(extra="allow")

    def given(self) -> dict[str, Any]:
        """The fields that the client sent. Raises Forbidden for an unknown one."""
        if self.model_extra:
            raise Forbidden
        return {name: getattr(self, name) for name in self.model_fields_set}


class Storage(Body):
    """Where files of a resource lie; `local` is this server."""

    location: Text = "local"
    cloud_storage_id: Id | None = None


def storage(value: Storage | None) -> dict[str, Any] | None:
    return None if value is None else value.model_dump()
