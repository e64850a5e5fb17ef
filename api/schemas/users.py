"""Users as clients change them, with CVAT's groups and flags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.common import Text
from domain.errors import Invalid
from domain.user import ADMIN, NONE, ROLES, USER

PROFILE = ("username", "email", "first_name", "last_name")
OF_ADMINS = frozenset({"groups", "is_active", "is_staff", "is_superuser"})


class UserPatch(BaseModel):
    """Some fields of a user."""

    model_config = ConfigDict(extra="allow")

    username: Text = Field("", max_length=150)
    email: Text = Field("", max_length=254)
    first_name: Text = Field("", max_length=150)
    last_name: Text = Field("", max_length=150)
    groups: list[Text] = Field([], max_length=10)
    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False

    def given(self) -> dict[str, Any]:
        """The fields that the client sent. Raises Invalid for unknown ones, as CVAT does here."""
        if self.model_extra:
            names = ", ".join(name[:50] for name in sorted(self.model_extra)[:10])
            raise Invalid({"non_field_errors": [f"Got unknown fields: {names}"]})
        return {name: getattr(self, name) for name in self.model_fields_set}


def wanted_role(given: Mapping[str, Any], role: str) -> str | None:
    """The role that CVAT's fields ask for; None: no other than the present one, `role`. CVAT's administrators are
    superusers, staff and of the group `admin` at once; here none of the three goes without the others. Raises Invalid
    for a contradiction.
    """
    wanted = role
    if "groups" in given:
        wanted = _highest(given["groups"])
    elif "is_superuser" in given:
        wanted = ADMIN if given["is_superuser"] else (USER if role == ADMIN else role)
    for flag in ("is_superuser", "is_staff"):
        if flag in given and given[flag] != (wanted == ADMIN):
            raise Invalid({flag: ["Superusers, staff and the members of the group admin are the same."]})
    return None if wanted == role else wanted


def _highest(groups: list[str]) -> str:
    unknown = [name for name in groups if name not in ROLES or name == NONE]
    if unknown:
        raise Invalid({"groups": [f"Object with name={unknown[0][:100]} does not exist."]})
    return min(groups, key=ROLES.index, default=NONE)
