"""The names by which clients filter and sort a resource, and the values that they may compare them with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from domain.errors import Invalid

Kind = Literal["text", "integer", "boolean", "date"]
CASTS: dict[Kind, str] = {"text": "text", "integer": "bigint", "boolean": "boolean", "date": "timestamptz"}


@dataclass(frozen=True)
class Field:
    """A column that clients may compare. `simple`: also as a plain query parameter (`?name=value`)."""

    column: str
    kind: Kind = "text"
    simple: bool = True

    @property
    def cast(self) -> str:
        """PostgreSQL's type for values of this kind."""
        return CASTS[self.kind]

    def value(self, name: str, given: Any) -> Any:
        """What was given, as the column's type. Raises Invalid, naming the field."""
        return _READERS[self.kind](name, given)


def texts(*names: str) -> dict[str, Field]:
    return {name: Field(name) for name in names}


def integers(*names: str) -> dict[str, Field]:
    return {name: Field(name, "integer") for name in names}


def booleans(*names: str) -> dict[str, Field]:
    return {name: Field(name, "boolean") for name in names}


def dates(*names: str) -> dict[str, Field]:
    return {name: Field(name, "date", simple=False) for name in names}


def _text(name: str, given: Any) -> str:
    if not isinstance(given, str | int | float):
        raise Invalid({name: ["Enter a text."]})
    text = str(given)
    if "\0" in text:
        raise Invalid({name: ["Null characters are not allowed."]})
    return text


def _integer(name: str, given: Any) -> int:
    text = str(given)
    if isinstance(given, bool) or not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 18:
        raise Invalid({name: ["Enter a number."]})
    return int(text)


def _boolean(name: str, given: Any) -> bool:
    text = str(given).lower()
    if text not in ("true", "false", "1", "0"):
        raise Invalid({name: ["Must be a valid boolean."]})
    return text in ("true", "1")


def _date(name: str, given: Any) -> datetime:
    try:
        date = datetime.fromisoformat(str(given))
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid({name: ["Enter a valid date/time."]}) from None


_READERS = {"text": _text, "integer": _integer, "boolean": _boolean, "date": _date}
