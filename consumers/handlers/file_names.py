"""Names of the files that exports make."""

from __future__ import annotations

import re

MAX_NAME = 200
UNWANTED = re.compile(r"[^A-Za-z0-9_.-]+")


def wanted_name(wanted: str | None, extension: str) -> str:
    """What was asked for, with its extension (`.zip`); empty when nothing is left of it. Clients take it from a header
    and use it for a file: only letters, digits, `_`, `-` and `.`, and none in front.
    """
    name = UNWANTED.sub("_", wanted or "")[:MAX_NAME].lstrip(".")
    return name if not name or name.lower().endswith(extension) else f"{name}{extension}"


def made_name(words: str) -> str:
    """A name that is put together from what may not be in one."""
    return UNWANTED.sub("_", words).lower()
