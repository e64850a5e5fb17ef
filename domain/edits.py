"""What an edit really changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Changes = dict[str, dict[str, Any]]
"""field → {"from": old, "to": new}"""


def differences(fields: Mapping[str, Any], wanted: Mapping[str, Any]) -> Changes:
    """A field that stays as it is is no change."""
    return {field: {"from": fields[field], "to": new} for field, new in wanted.items() if fields[field] != new}
