"""Numbers as clients write them in headers, queries and paths."""

from __future__ import annotations

MAX_DIGITS = 18
"""Of a number that fits 64 bits whatever its digits are."""


def natural(text: str, digits: int = MAX_DIGITS) -> int | None:
    """The number, 0 or more, that a text of at most so many decimal digits is; None for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None
