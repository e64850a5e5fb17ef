"""`annals replay`: projections from the log, anew."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from cli.database import open_database
from cli.options import DataOption, JsonOption, read_settings

if TYPE_CHECKING:
    from projections.projection import Projection


def replay(
    projection: Annotated[list[str] | None, typer.Argument(help="Which ones; left out: all.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME|POSITION", help="Up to here instead, into a copy of everything.")
    ] = None,
    into: Annotated[str | None, typer.Option(metavar="NAME", help="The name of the copy.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="A copy of this name gives way.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rebuild projections from position 0, beside the live ones, and swap them in while the service goes on."""
    settings = read_settings(data)
    if until is not None or into is not None or replace:
        if until is None or into is None or projection:
            raise typer.BadParameter("a copy is of everything, and needs both --until and --into")
        from cli.copies import make_copy

        make_copy(settings, until, into, replace=replace, as_json=as_json)
        return
    wanted = _named(projection or [])
    with open_database(settings) as database:
        from cli.progress import fold_progress
        from cli.rebuilding import replay

        started = time.monotonic()
        with fold_progress("Replaying") as progress:
            head = replay(database.url, wanted, progress)
        seconds = time.monotonic() - started
    names = [one.name for one in wanted]
    if as_json:
        from cli.output import print_json

        print_json([{"projections": names, "position": head, "seconds": round(seconds, 3)}])
    else:
        speed = head / max(seconds, 0.001)
        typer.echo(f"Rebuilt {', '.join(names)} to position {head:,} in {seconds:.1f} s ({speed:,.0f} events/s)")


def _named(names: list[str]) -> list[Projection]:
    from projections.registry import REGISTRY

    unknown = sorted(set(names) - set(REGISTRY))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)} is not one of {', '.join(REGISTRY)}", param_hint="PROJECTION")
    return [REGISTRY[name] for name in dict.fromkeys(names)] or list(REGISTRY.values())
