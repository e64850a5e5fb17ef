"""What Grafana and its ClickHouse plugin make of a query before ClickHouse sees it.

Grafana fills in variables, in the browser; the plugin then expands its macros, as its documentation lists them.
Arguments may hold parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

ALL = "$__all"
CONDITIONAL = "$__conditionalAll("
VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)")
MACRO = re.compile(r"\$__(\w+)")


@dataclass(frozen=True)
class Chosen:
    """What a variable stands for: `values` that somebody chose, or everything (`all_value`; without one, `values`)."""

    values: Sequence[str] = ()
    everything: bool = False
    all_value: str | None = None


@dataclass(frozen=True)
class View:
    """What somebody looks at. `interval`: seconds that a point of a time series stands for."""

    since: datetime
    until: datetime
    interval: int = 60
    chosen: Mapping[str, Chosen] = field(default_factory=dict)

    def expand(self, query: str) -> str:
        """As ClickHouse gets it. Raises LookupError for a variable or macro that there is not."""
        return self._macros(VARIABLE.sub(self._variable, self._conditions(query)))

    def _conditions(self, query: str) -> str:
        """`$__conditionalAll(condition, $variable)`: no condition when everything is chosen."""
        while (start := query.rfind(CONDITIONAL)) >= 0:
            arguments, end = _arguments(query, start + len(CONDITIONAL) - 1)
            condition, variable = ",".join(arguments[:-1]), arguments[-1].strip(" ${}")
            query = query[:start] + ("1=1" if self._chosen(variable).everything else condition) + query[end:]
        return query

    def _chosen(self, name: str) -> Chosen:
        if name not in self.chosen:
            raise LookupError(f"There is no variable {name}")
        return self.chosen[name]

    def _variable(self, match: re.Match[str]) -> str:
        chosen = self._chosen(match[1] or match[3])
        if chosen.everything and chosen.all_value:
            return chosen.all_value
        return FORMATS[match[2] or ""](chosen.values)

    def _macros(self, query: str) -> str:
        while match := MACRO.search(query):
            if match[1] not in MACROS:
                raise LookupError(f"There is no macro {match[0]}")
            called = query.startswith("(", match.end())
            arguments, end = _arguments(query, match.end()) if called else ([], match.end())
            expanded = MACROS[match[1]](self, *(argument.strip() for argument in arguments))
            query = query[: match.start()] + expanded + query[end:]
        return query


def _quoted(values: Sequence[str]) -> str:
    return ",".join(f"'{value}'" for value in values)


def _escaped(values: Sequence[str]) -> str:
    return ",".join("'{}'".format(value.replace("'", "''")) for value in values)


FORMATS: Mapping[str, Callable[[Sequence[str]], str]] = {"": _quoted, "csv": ",".join, "sqlstring": _escaped}


def _arguments(query: str, opening: int) -> tuple[list[str], int]:
    """Those between the parenthesis at `opening` and the one that closes it; and where that one ends."""
    depth, arguments = 0, [""]
    for at in range(opening, len(query)):
        letter = query[at]
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return arguments if arguments != [""] else [], at + 1
        if letter == "," and depth == 1:
            arguments.append("")
        elif at > opening:
            arguments[-1] += letter
    raise LookupError("A parenthesis is not closed")


def _seconds(time: datetime) -> str:
    return f"toDateTime({int(time.timestamp())})"


def _milliseconds(time: datetime) -> str:
    return f"fromUnixTimestamp64Milli({int(time.timestamp() * 1000)})"


def _between(column: str, bound: Callable[[datetime], str], view: View) -> str:
    return f"{column} >= {bound(view.since)} AND {column} <= {bound(view.until)}"


def _date(time: datetime) -> str:
    return f"toDate('{time:%Y-%m-%d}')"


def _interval_ms(view: View, column: str) -> str:
    return f"toStartOfInterval(toDateTime64({column}, 3), INTERVAL {view.interval * 1000} millisecond)"


def _date_time_filter(view: View, date: str, time: str) -> str:
    return f"{_between(date, _date, view)} AND {_between(time, _seconds, view)}"


MACROS: Mapping[str, Callable[..., str]] = {
    "timeFilter": lambda view, column: _between(column, _seconds, view),
    "timeFilter_ms": lambda view, column: _between(column, _milliseconds, view),
    "dateFilter": lambda view, column: _between(column, _date, view),
    "dateTimeFilter": _date_time_filter,
    "dt": _date_time_filter,
    "fromTime": lambda view: _seconds(view.since),
    "toTime": lambda view: _seconds(view.until),
    "fromTime_ms": lambda view: _milliseconds(view.since),
    "toTime_ms": lambda view: _milliseconds(view.until),
    "interval_s": lambda view: str(view.interval),
    "timeInterval": lambda view, column: f"toStartOfInterval(toDateTime({column}), INTERVAL {view.interval} second)",
    "timeInterval_ms": _interval_ms,
}
