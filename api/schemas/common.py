"""What request bodies share."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.errors import Forbidden

MAX_INT = 2**31 - 1


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

    location: str = "local"
    cloud_storage_id: int | None = None


def storage(value: Storage | None) -> dict[str, Any] | None:
    return None if value is None else value.model_dump()
