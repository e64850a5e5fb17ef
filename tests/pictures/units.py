"""Numbers as Grafana writes them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

SCALES = ((1e9, "B"), (1e6, "M"), (1e3, "K"))
BYTES = ((2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"))
TIMES = ((86_400.0, "days"), (3_600.0, "h"), (60.0, "min"))


def shown(value: Any, unit: str = "") -> str:
    """`unit`: one of Grafana's, as far as the dashboards use them."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return NUMBERS.get(unit, _plain)(value)


def _plain(value: float) -> str:
    return str(value) if isinstance(value, int) else _rounded(value)


def _scaled(value: float, scales: tuple[tuple[float, str], ...], rest: str = "") -> str:
    for size, suffix in scales:
        if abs(value) >= size:
            return f"{_rounded(value / size)} {suffix}"
    return f"{_rounded(value)} {rest}".strip()


def _rounded(value: float) -> str:
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def _seconds(value: float) -> str:
    return f"{_rounded(value * 1000)} ms" if 0 < abs(value) < 1 else _scaled(value, TIMES, "s")


NUMBERS: dict[str, Callable[[float], str]] = {
    "short": lambda value: _scaled(value, SCALES),
    "percentunit": lambda value: f"{_rounded(value * 100)}%",
    "s": _seconds,
    "ms": lambda value: _seconds(value / 1000),
    "h": lambda value: f"{_rounded(value)} h",
    "bytes": lambda value: _scaled(value, BYTES, "B"),
    "reqps": lambda value: f"{_rounded(value)} req/s",
    "ops": lambda value: f"{_scaled(value, SCALES)} /s",
    "dateTimeAsIso": lambda value: f"{datetime.fromtimestamp(value / 1000, UTC):%Y-%m-%d %H:%M}",
}
