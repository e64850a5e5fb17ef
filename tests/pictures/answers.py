"""What a panel shows: rows, or values over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = dict[str, Any]


@dataclass
class Series:
    name: str
    times: list[datetime] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Answers:
    """To all queries of one panel."""

    rows: list[Row] = field(default_factory=list)
    series: list[Series] = field(default_factory=list)


Ask = Callable[[dict[str, Any]], Answers]
"""Answers a panel of a dashboard's JSON."""


def as_series(rows: list[Row]) -> list[Series]:
    """As Grafana reads a long table: its texts name the series, each number is one."""
    series: dict[str, Series] = {}
    for row in rows:
        time, *others = row.items()
        name = " ".join(str(value) for _, value in others if value is None or isinstance(value, str))
        for column, value in others:
            if isinstance(value, int | float):
                one = series.setdefault(name or column, Series(name or column))
                one.times.append(time[1])
                one.values.append(float(value))
    return list(series.values())
