"""What commands print: tables for people, JSON lines for scripts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
import typer


def print_json(rows: Iterable[Mapping[str, Any]]) -> None:
    """One object per line."""
    for row in rows:
        typer.echo(orjson.dumps(row).decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """On a terminal with lines around it; elsewhere plain columns, which any width leaves whole."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = sys.stdout.isatty()
    table = Table(*columns, box=box.SIMPLE_HEAD if on_terminal else None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(shown(value)) for value in row))
    Console(soft_wrap=not on_terminal, width=None if on_terminal else 1000).print(table)


def shown(value: Any) -> str:
    """A value as people read it; times in the time zone of this machine."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def shown_bytes(size: float) -> str:
    """1536 → `1.5 KiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
