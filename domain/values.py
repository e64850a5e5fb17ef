"""Reading the fields of an untrusted object, with the meaning and the messages of CVAT's serializers (DRF)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from domain.errors import Invalid

MAX_INTEGER = 2**31 - 1
MAX_NUMERAL = 1000
MAX_ECHO = 50
REQUIRED = "This field is required."
NULL = "This field may not be null."
BLANK = "This field may not be blank."
NOT_AN_OBJECT = "Invalid data. Expected a dictionary, but got {}."
NOT_A_LIST = 'Expected a list of items but got type "{}".'

NUMERAL = re.compile(r"\s*[+-]?\d+(\.0*)?\s*", re.ASCII)
TRUE = frozenset({"t", "y", "yes", "true", "on", "1"})
FALSE = frozenset({"f", "n", "no", "false", "off", "0"})

T = TypeVar("T")


class Refused(Exception):
    """A value can't be read; its message, or for a list the messages by position."""

    def __init__(self, detail: Any) -> None:
        super().__init__(detail)
        self.detail = detail if isinstance(detail, dict) else [detail]


class Values:
    """The fields of one object. A field that can't be read leaves its message in `errors` and reads as None, as one
    that is missing does. Fields that nobody asks for are ignored.
    """

    def __init__(self, body: Any) -> None:
        if not isinstance(body, Mapping):
            raise Invalid({"non_field_errors": [NOT_AN_OBJECT.format(type(body).__name__)]})
        self._body = body
        self.errors: dict[str, Any] = {}

    def refuse(self, name: str, message: str) -> None:
        self.errors.setdefault(name, []).append(message)

    def conclude(self) -> None:
        """Raises Invalid with the messages of all fields."""
        if self.errors:
            raise Invalid(self.errors)

    def read(
        self, name: str, reader: Callable[[Any], T], *, nullable: bool = False, required: bool = False
    ) -> T | None:
        """A field as `reader` understands it. A reader raises Refused, or Invalid for a whole object."""
        value = self._body.get(name)
        if value is None:
            if name not in self._body and required:
                self.errors[name] = [REQUIRED]
            elif name in self._body and not nullable:
                self.errors[name] = [NULL]
            return None
        try:
            return reader(value)
        except (Refused, Invalid) as refusal:
            self.errors[name] = refusal.detail
            return None


def integer(low: int | None = None, high: int | None = MAX_INTEGER) -> Callable[[Any], int]:
    """Reads an integer; `5.0` and `"5"` are 5, a boolean is not a number."""

    def read(value: Any) -> int:
        number = _whole(value)
        if low is not None and number < low:
            raise Refused(f"Ensure this value is greater than or equal to {low}.")
        if high is not None and number > high:
            raise Refused(f"Ensure this value is less than or equal to {high}.")
        return number

    return read


def share(value: Any) -> float:
    """Reads a number greater than 0 and at most 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Refused("A valid number is required.")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise Refused("A valid number is required.") from None
    if math.isnan(number) or not 0 < number <= 1:
        raise Refused("Ensure this value is greater than 0 and at most 1.")
    return number


def boolean(value: Any) -> bool:
    """Reads true and false in the spellings of JSON, forms and people."""
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    if word not in TRUE | FALSE:
        raise Refused("Must be a valid boolean.")
    return word in TRUE


def choice(values: Collection[str]) -> Callable[[Any], str]:
    """Reads one of the values."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise Refused(f'"{str(value)[:MAX_ECHO]}" is not a valid choice.')
        return value

    return read


def text(max_length: int | None = None, *, blank: bool = False, trim: bool = True) -> Callable[[Any], str]:
    """Reads a text, as a rule without the white space around it; a number is its text."""

    def read(value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Refused("Not a valid string.")
        found = str(value).strip() if trim else str(value)
        if "\x00" in found:
            raise Refused("Null characters are not allowed.")
        if not found.strip() and not blank:
            raise Refused(BLANK)
        if max_length is not None and len(found) > max_length:
            raise Refused(f"Ensure this field has no more than {max_length} characters.")
        return found

    return read


def items(reader: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """Reads a list; messages stand under the position of their item."""

    def read(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list | tuple):
            raise Refused(NOT_A_LIST.format(type(value).__name__))
        found, errors = [], {}
        for position, item in enumerate(value):
            try:
                found.append(reader(_present(item)))
            except Refused as refusal:
                errors[str(position)] = refusal.detail
        if errors:
            raise Refused(errors)
        return tuple(found)

    return read


def _whole(value: Any) -> int:
    if isinstance(value, str) and len(value) > MAX_NUMERAL:
        raise Refused("String value too large.")
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and NUMERAL.fullmatch(value):
        return int(value.partition(".")[0])
    raise Refused("A valid integer is required.")


def _present(item: Any) -> Any:
    if item is None:
        raise Refused(NULL)
    return item
