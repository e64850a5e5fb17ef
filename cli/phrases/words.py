"""What phrases are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from domain.event import Body

B = TypeVar("B", bound=Body)
Phrase = Callable[[Any], str]

PHRASES: dict[type[Body], Phrase] = {}

MAX_NAMED = 3
"""Of a list of names, so many are told."""


def phrase(cls: type[B]) -> Callable[[Callable[[B], str]], Callable[[B], str]]:
    """Register the words for an event type: what comes behind the name of who did it."""

    def register(function: Callable[[B], str]) -> Callable[[B], str]:
        PHRASES[cls] = function
        return function

    return register


def edits(changes: Mapping[str, Mapping[str, Any]]) -> str:
    """`name from “a” to “b”`; what is not a short text or a number is only named."""
    return listed([_edit(name.removesuffix("_id"), change) for name, change in changes.items()])


def _edit(name: str, change: Mapping[str, Any]) -> str:
    before, after = change.get("from"), change.get("to")
    words = name.replace("_", " ")
    if all(isinstance(value, (str, int, type(None))) for value in (before, after)):
        return f"the {words} from {_value(before)} to {_value(after)}"
    return f"the {words}"


def _value(value: str | int | None) -> str:
    if value in (None, ""):
        return "nothing"
    return f"“{value}”" if isinstance(value, str) else str(value)


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def some(names: list[str]) -> str:
    more = len(names) - MAX_NAMED
    return listed(names) if more <= 0 else f"{', '.join(names[:MAX_NAMED])} and {more:,} more"


def listed(parts: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def frames(first: int, last: int) -> str:
    return f"frame {first}" if first == last else f"frames {first} to {last}"
