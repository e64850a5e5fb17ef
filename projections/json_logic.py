"""The JSON Logic of CVAT's `filter` parameter, as a condition in SQL.

The subset is CVAT's: and, or, !, !!, ==, <, <=, >, >=, `<=` with three operands (between), `in` (a field in a list, or
a text in a field), and a bare `var`, which asks whether the field is set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from domain.errors import Invalid
from projections.fields import Field

MAX_DEPTH = 32
MAX_TERMS = 1_000
MAX_CHOICES = 10_000
COMPARISONS = {"==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def condition(fields: Mapping[str, Field], text: str) -> tuple[str, dict[str, Any]]:
    """A condition and its parameters. It may be null, which counts as false. Raises Invalid, in CVAT's shape."""
    try:
        rule = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _refused(f"this is no JSON: {error}") from None
    if rule == {}:
        return "true", {}
    compiler = _Compiler(fields)
    return compiler.term(rule, 0), compiler.params


class _Compiler:
    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.params: dict[str, Any] = {}
        self._fields = fields
        self._terms = 0
        self._operators: dict[str, Callable[[Any, int], str]] = {
            "and": lambda operands, depth: self._joined(" AND ", operands, depth),
            "or": lambda operands, depth: self._joined(" OR ", operands, depth),
            "!": lambda operand, depth: f"NOT coalesce({self.term(_only(operand), depth)}, false)",
            "!!": lambda operand, depth: f"coalesce({self.term(_only(operand), depth)}, false)",
            "var": lambda name, _: f"{self._field(name)[1].column} IS NOT NULL",
            "in": lambda operands, _: self._in(operands),
        }

    def term(self, rule: Any, depth: int) -> str:
        self._terms += 1
        if depth > MAX_DEPTH or self._terms > MAX_TERMS:
            raise _refused("there are too many terms")
        if not isinstance(rule, dict) or len(rule) != 1:
            raise _refused("a term is an object with one operator")
        [(operator, operands)] = rule.items()
        if operator in COMPARISONS:
            return f"({self._comparison(operator, operands)})"
        if operator not in self._operators:
            raise _refused(f"there is no operator {operator[:50]!r}")
        return f"({self._operators[operator](operands, depth + 1)})"

    def _joined(self, word: str, operands: Any, depth: int) -> str:
        if not isinstance(operands, list) or not operands:
            raise _refused("`and` and `or` take a list of terms")
        return word.join([self.term(operand, depth) for operand in operands])

    def _comparison(self, operator: str, operands: Any) -> str:
        if operator == "<=" and isinstance(operands, list) and len(operands) == 3:
            low, variable, high = operands
            name, field = self._variable(variable)
            return f"{field.column} BETWEEN {self._value(name, field, low)} AND {self._value(name, field, high)}"
        variable, value = _pair(operator, operands)
        name, field = self._variable(variable)
        if operator == "==" and value is None:
            return f"{field.column} IS NULL"
        return f"{field.column} {COMPARISONS[operator]} {self._value(name, field, value)}"

    def _in(self, operands: Any) -> str:
        needle, hay = _pair("in", operands)
        if isinstance(needle, str):
            name, field = self._variable(hay)
            return f"position({self._value(name, Field(field.column), needle)} in {field.column}::text) > 0"
        name, field = self._variable(needle)
        if not isinstance(hay, list) or len(hay) > MAX_CHOICES:
            raise _refused(f"`in` takes a list of at most {MAX_CHOICES} values")
        values = [field.value(name, value) for value in hay if value is not None]
        return f"{field.column} = ANY ({self._parameter(values)}::{field.cast}[])"

    def _variable(self, operand: Any) -> tuple[str, Field]:
        if not isinstance(operand, dict) or list(operand) != ["var"]:
            raise _refused('a field is written {"var": "its name"}')
        return self._field(operand["var"])

    def _field(self, name: Any) -> tuple[str, Field]:
        if not isinstance(name, str) or name not in self._fields:
            raise _refused(f"there is no field {str(name)[:50]!r}")
        return name, self._fields[name]

    def _value(self, name: str, field: Field, given: Any) -> str:
        return f"{self._parameter(field.value(name, given))}::{field.cast}"

    def _parameter(self, value: Any) -> str:
        name = f"logic{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"


def _pair(operator: str, operands: Any) -> tuple[Any, Any]:
    if not isinstance(operands, list) or len(operands) != 2:
        raise _refused(f"`{operator}` takes two operands")
    return operands[0], operands[1]


def _only(operand: Any) -> Any:
    """`{"!": x}` and `{"!": [x]}` are the same."""
    return operand[0] if isinstance(operand, list) and len(operand) == 1 else operand


def _refused(why: str) -> Invalid:
    return Invalid([f"filter: {why}"])
