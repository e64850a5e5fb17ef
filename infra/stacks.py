"""Where errors came from, in a form that may be kept for ever and shown."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

MAX_STACK = 8_000
"""Characters."""

MAX_ERRORS, MAX_FRAMES = 20, 50
"""How many errors are told that led to one another, and how many of the frames of each: the last."""


def stack_of(error: BaseException) -> str:
    """Files, lines of code and kinds of errors, in Python's order: what came first stands first, the error itself last;
    of a long one the end. Nothing that an error says is repeated: a driver's may hold a password.
    """
    return "\n".join(reversed([_told(each) for each in _led_to(error)]))[-MAX_STACK:]


def _led_to(error: BaseException) -> Iterator[BaseException]:
    """The error, then what it came from, and what that came from; of a group each one."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < MAX_ERRORS:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting += reversed(each.exceptions)
        earlier = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
        waiting += [earlier] if earlier else []


def _told(error: BaseException) -> str:
    frames = traceback.format_tb(error.__traceback__, limit=-MAX_FRAMES)
    return "".join(frames) + f"{type(error).__qualname__}\n"
