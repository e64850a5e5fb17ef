"""Positions as a command line names them."""

from __future__ import annotations

import re
from collections.abc import Iterable

import typer

FORM = re.compile(r"(\d{1,18})(?:-(\d{1,18}))?", re.ASCII)


def ranges(texts: Iterable[str]) -> list[tuple[int, int]]:
    """`17` or `40-60` → (first, last). Raises BadParameter for anything else."""
    found = []
    for text in texts:
        matched = FORM.fullmatch(text)
        first, last = (int(matched[1]), int(matched[2] or matched[1])) if matched else (0, 0)
        if not 0 < first <= last:
            raise typer.BadParameter(f"{text} is neither a position nor a range such as 40-60")
        found.append((first, last))
    return found
