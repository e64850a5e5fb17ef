"""Deciding again when somebody else was faster."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from domain.errors import VersionConflict

P = ParamSpec("P")
R = TypeVar("R")
ATTEMPTS = 20
"""Each sees what the last one lost against: where many write to one stream at once, a few are soon too few."""


def decide_again(command: Callable[P, R]) -> Callable[P, R]:
    """For commands that load, decide and record: a VersionConflict only means that they must look again."""

    @wraps(command)
    def retried(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(ATTEMPTS - 1):
            try:
                return command(*args, **kwargs)
            except VersionConflict:
                continue
        return command(*args, **kwargs)

    return retried
