"""Reading untrusted JSON field by field, with CVAT's (Django REST framework's) messages at the exact positions.

Like CVAT it takes `5.0` and `"5"` for the integer 5; unlike CVAT it never takes a boolean for a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from domain.annotation.document import Item, LabelSpecs, Limits, Mode
from domain.errors import Invalid

REQUIRED = object()
MAX_INTEGER = 2**31 - 1
MAX_NUMERAL = 40
MAX_ECHO = 50

_MISSING = "This field is required."
_NULL = "This field may not be null."
_BOOLEANS: dict[Any, bool] = {0: False, 1: True, "0": False, "1": True, "false": False, "true": True}

Reader = Callable[["Fields"], Item | None]
Quick = Callable[[Any], Item | None]


class Scan:
    """One pass over one document: what it is checked against and what was found wrong."""

    __slots__ = ("deleting", "faults", "fresh", "labels", "limits", "mode", "rules")

    def __init__(self, labels: LabelSpecs, mode: Mode, limits: Limits) -> None:
        self.labels = labels.by_id
        self.mode = mode
        self.fresh = mode in ("put", "create")
        self.deleting = mode == "delete"
        self.limits = limits
        self.faults = 0
        self.rules: dict[str, None] = {}

    @property
    def full(self) -> bool:
        return self.faults >= self.limits.faults

    def broken(self, rule: str) -> None:
        """Notes a rule about labels. CVAT tells these only once the fields are in order, as a bare list."""
        if len(self.rules) < self.limits.faults:
            self.rules[rule] = None

    def conclude(self, errors: dict[str, Any]) -> None:
        """Raises Invalid when anything was found wrong."""
        if errors and self.full:
            errors["non_field_errors"] = [f"{self.faults} errors were found; the rest was not checked."]
        if errors:
            raise Invalid(errors)
        if self.rules:
            raise Invalid(list(self.rules))


class Fields:
    """The fields of one raw object. A faulty field reads as a harmless value and leaves its message in `errors`."""

    __slots__ = ("errors", "known", "raw", "scan")

    def __init__(self, raw: Any, scan: Scan, known: bool = False) -> None:
        """`known`: this is part of an object that exists already."""
        self.raw: Item = raw if isinstance(raw, dict) else {}
        self.scan = scan
        self.known = known
        self.errors: dict[str, Any] = {}
        if raw is None:
            self.fault("non_field_errors", "No data provided")
        elif not isinstance(raw, dict):
            self.fault("non_field_errors", f"Invalid data. Expected a dictionary, but got {type(raw).__name__}.")

    def fault(self, name: str, message: str) -> None:
        self.errors[name] = [message]
        self.scan.faults += 1

    def integer(self, name: str, default: Any = REQUIRED, low: int = 0, high: int = MAX_INTEGER) -> int:
        value = self.raw.get(name, default)
        if type(value) is int and low <= value <= high:
            return value
        if type(value) is not int:
            value = self._checked(name, value, _integer, "A valid integer is required.")
        return int(self._bounded(name, value, low, high))

    def optional_integer(self, name: str, low: int = 0, high: int = MAX_INTEGER) -> int | None:
        """None when absent or null."""
        return None if self.raw.get(name) is None else self.integer(name, low=low, high=high)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        value = self.raw.get(name, default)
        if type(value) is not float and type(value) is not int:
            value = self._checked(name, value, _number, "A valid number is required.")
        return self._bounded(name, value, low, high)

    def boolean(self, name: str, default: bool = False) -> bool:
        value = self.raw.get(name, default)
        if type(value) is bool:
            return value
        return bool(self._checked(name, value, _boolean, "Must be a valid boolean."))

    def choice(self, name: str, choices: Sequence[str], default: Any = REQUIRED) -> str:
        value = self.raw.get(name, default)
        if type(value) is str and value in choices:
            return value
        self._refuse(name, value, f'"{_echo(value)}" is not a valid choice.')
        return choices[0]

    def listing(self, name: str, limit: int, default: Any = REQUIRED) -> list[Any]:
        """A list whose items are not looked at."""
        value = self.raw.get(name, default)
        if type(value) is not list:
            self._refuse(name, value, f'Expected a list of items but got type "{type(value).__name__}".')
            return []
        if len(value) > limit:
            self.fault(name, f"Ensure this field has no more than {limit} elements.")
            return []
        return value

    def items(
        self, name: str, read: Reader, limit: int, default: Any = REQUIRED, quick: Quick | None = None
    ) -> list[Item]:
        """A list of objects, each read by `read`; `quick` is tried first and gives None when it is not sure. Objects
        that `read` drops are left out.
        """
        raw = self.listing(name, limit, default)
        if name in self.errors:
            self.errors[name] = _as_nested(self.errors[name])
        items: list[Item] = []
        errors: list[dict[str, Any]] = []
        for position, raw_item in enumerate(raw):
            item = quick(raw_item) if quick else None
            if item is None:
                fields = Fields(raw_item, self.scan, self.known)
                item = None if fields.errors else read(fields)
                if fields.errors:
                    errors += [{}] * (position - len(errors))
                    errors.append(fields.errors)
                if self.scan.full:
                    break
            if item is not None:
                items.append(item)
        if errors:
            self.errors[name] = errors
        return items

    def _checked(self, name: str, value: Any, convert: Callable[[Any], Any], message: str) -> Any:
        """The value converted, or 0 and a message."""
        converted = convert(value)
        if converted is None:
            self._refuse(name, value, message)
            return 0
        return converted

    def _refuse(self, name: str, value: Any, message: str) -> None:
        self.fault(name, _MISSING if value is REQUIRED else _NULL if value is None else message)

    def _bounded(self, name: str, value: float, low: float, high: float) -> float:
        if low <= value <= high or name in self.errors:
            return value
        if value < low:
            self.fault(name, f"Ensure this value is greater than or equal to {low}.")
        elif value > high:
            self.fault(name, f"Ensure this value is less than or equal to {high}.")
        else:
            self.fault(name, "A valid number is required.")
        return 0


def _integer(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number == number and abs(number) <= 2**63 and number % 1 == 0 else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and (len(value) > MAX_NUMERAL or not value.isascii() or "_" in value):
        return None
    try:
        return int(value) if isinstance(value, str) and value.strip().lstrip("+-").isdigit() else float(value)
    except (ValueError, OverflowError):
        return None


def _boolean(value: Any) -> bool | None:
    return _BOOLEANS.get(value.lower() if isinstance(value, str) else value) if isinstance(value, int | str) else None


def _echo(value: Any) -> str:
    """A short text that may be sent back."""
    if not isinstance(value, str):
        return type(value).__name__
    return value[:MAX_ECHO].encode("utf-8", "replace").decode()


def _as_nested(messages: list[str]) -> Any:
    """A list of objects tells what is wrong with itself under `non_field_errors`; absent or null is told plainly."""
    return messages if messages in ([_MISSING], [_NULL]) else {"non_field_errors": messages}
