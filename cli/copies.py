"""Copies of the whole system as it was: made, listed, removed, served."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.database import open_database
from cli.options import DataOption, JsonOption, read_settings

if TYPE_CHECKING:
    from infra.settings import Settings
    from projections.copies import Copy
    from projections.rebuild import Progress

app = typer.Typer(help="Copies of the whole system as it was; `annals replay --until … --into …` makes them.")


def make_copy(settings: Settings, until: str, name: str, *, replace: bool, as_json: bool) -> None:
    """Shows progress, and at the end what was made. `until`: a position or a time."""
    with open_database(settings) as database:
        from cli.progress import fold_progress

        started = time.monotonic()
        with fold_progress("Copying") as progress:
            copy = copy_until(database.url, until, name, progress, replace=replace)
    seconds = time.monotonic() - started
    if as_json:
        from cli.output import print_json

        print_json([_told(copy) | {"seconds": round(seconds, 3)}])
    else:
        speed = copy.position / max(seconds, 0.001)
        typer.echo(f"Made {name}, of position {copy.position:,}, in {seconds:.1f} s ({speed:,.0f} events/s)")


def copy_until(url: str, until: str, name: str, progress: Progress | None = None, *, replace: bool = False) -> Copy:
    """`until`: digits are a position, which is taken as it is; else a time. Raises Invalid, Conflict."""
    from api.moments import time_in
    from cli.rebuilding import projections_held
    from infra.eventlog.reader import LogReader
    from infra.postgres.database import Database, typed_errors
    from projections import copies
    from projections.registry import REGISTRY

    copies.schema_of(name)
    database = Database(url)
    with typed_errors(), database.connect() as connection, database.connect() as reading:
        number = until.isascii() and until.isdigit()
        position = int(until) if number else copies.position_at(connection, time_in("until", until))
        with projections_held(connection):
            projections = list(REGISTRY.values())
            return copies.make(connection, LogReader(), projections, name, position, progress, reading, replace=replace)


def serve_copy(settings: Settings, name: str) -> None:
    """Serves the API from a copy, in this process, until told to stop. Raises NotFound, Conflict."""
    from cli import logs
    from cli.database import service_url
    from cli.roles import api
    from cli.serving.listening import listen, local_url
    from projections.copies import hold
    from projections.registry import REGISTRY

    with ExitStack() as stack:
        database = stack.enter_context(open_database(settings))
        connection = stack.enter_context(database.connect())
        copy = hold(connection, name, list(REGISTRY.values()))
        listener = stack.enter_context(listen(settings.host, settings.port))
        logs.configure(f"copy-{name}", logs.folder(settings))
        url = local_url(settings.host, listener.getsockname()[1])
        typer.echo(f"The copy {name} of position {copy.position:,} is ready: {url}")
        api.run_copy(settings, service_url(settings, database.url), copy, listener)


@app.callback(invoke_without_command=True)
def copies(context: typer.Context, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Tell which copies there are, or remove one."""
    if context.invoked_subcommand is not None:
        source = context.get_parameter_source("data")
        if source is not None and source.name == "COMMANDLINE":  # or another folder's copy would be removed
            raise typer.BadParameter(f"give it behind {context.invoked_subcommand}", param_hint="--data")
        return
    with open_database(read_settings(data)) as database, database.connect() as connection:
        from projections.copies import listed

        found = listed(connection)
    from cli.output import print_json, print_table

    if as_json:
        print_json(map(_told, found))
        return
    print_table(
        ("name", "position", "time", "made"), [(one.name, one.position, one.time, one.made_at) for one in found]
    )


@app.command("drop")
def drop_copy(name: Annotated[str, typer.Argument(help="Which copy.")], data: DataOption = None) -> None:
    """Remove a copy. The log and the live tables stay as they are."""
    with open_database(read_settings(data)) as database, database.connect() as connection:
        from projections.copies import drop

        drop(connection, name)
    typer.echo(f"The copy {name} is gone")


def _told(copy: Copy) -> dict[str, Any]:
    return {"name": copy.name, "position": copy.position, "time": copy.time, "made_at": copy.made_at}
