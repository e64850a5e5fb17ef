"""`annals forward …`: the forwarder itself, and what an operator does about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.forward import dead_letters
from cli.options import DataOption, JsonOption, SinkOption, TopologyOption, read_settings
from cli.roles.commands import LifelineOption, NameOption, process

if TYPE_CHECKING:
    from consumers.forwarder.topology import Route

PositionsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[POSITION|FIRST-LAST]...", help="Events that are sent anew in any case.")
]

app = typer.Typer(
    help="Forward the log to ClickHouse or wherever a topology says, and look after what was forwarded.",
    invoke_without_command=True,
)
app.add_typer(dead_letters.app, name="dead-letters")


@app.callback()
def forward(
    context: typer.Context,
    data: DataOption = None,
    topology: TopologyOption = None,
    name: NameOption = None,
    lifeline: LifelineOption = None,
) -> None:
    """Without a command: forward, until told to stop. `annals serve` does it by itself."""
    if context.invoked_subcommand is not None:
        return
    settings = read_settings(data, topology=topology)
    with process(settings, name or "forward", lifeline) as database_url:
        from cli.roles import forward as forward_process

        forward_process.run(settings, database_url)


@app.command()
def validate(topology: TopologyOption = None, data: DataOption = None) -> None:
    """Read the topology and tell what would flow where, without doing it. Exits with 1 if it can't be followed."""
    from cli.forward.parts import check

    for route in check(read_settings(data, topology=topology)).routes():
        typer.echo(_described(route))


def _described(route: Route) -> str:
    steps = [route.source.type, *(transform.type for transform in route.transforms), route.sink.type]
    batch = route.sink.batch
    return (
        f"{route.name}: {' → '.join(steps)}, in batches of {batch.rows:,} rows, {batch.bytes:,} bytes"
        f" or {batch.seconds:g} s; place kept as {route.consumer}"
    )


@app.command()
def status(data: DataOption = None, topology: TopologyOption = None, as_json: JsonOption = False) -> None:
    """How far each sink is, what it could not be given, and what the last comparison found. Exits with 1 when one
    should come nearer to the end of the log, and does not.
    """
    from cli.database import open_database
    from cli.forward.parts import topology as read_topology
    from cli.forward.status import standings
    from cli.output import print_json, print_table

    settings = read_settings(data, topology=topology)
    with open_database(settings) as database:
        found = standings(database, read_topology(settings).routes())
    if as_json:
        print_json(found)
    else:
        print_table([name.replace("_", " ") for name in found[0]], [list(standing.values()) for standing in found])
    raise typer.Exit(1 if any(standing["trouble"] for standing in found) else 0)


@app.command()
def forget(
    sink: Annotated[str, typer.Argument(help="As in `annals forward status`.")],
    force: Annotated[bool, typer.Option("--force", help="Also one of the topology, or that is being fed.")] = False,
    data: DataOption = None,
    topology: TopologyOption = None,
) -> None:
    """Forget a sink that is not fed any more: its place, its dead letters, its buffers. What it was sent it keeps."""
    from cli.database import open_database
    from cli.forward.parts import means
    from cli.forward.parts import topology as read_topology
    from consumers.forwarder.mending.forgetting import forget as forget_sink
    from consumers.forwarder.topology import Wrong

    settings = read_settings(data, topology=topology)
    if not force and sink in read_topology(settings).sinks:
        raise Wrong(f"{sink} is a sink of the topology")
    with open_database(settings) as database:
        position = forget_sink(sink, means(settings, database), forced=force)
    typer.echo(f"{sink}, which was at position {position:,}, is forgotten.")


@app.command()
def rebuild(sink: SinkOption = None, data: DataOption = None, topology: TopologyOption = None) -> None:
    """Fill fresh tables from the log beside the old ones, and put them in their place. Forwarding goes on."""
    from cli.forward.parts import open_means, route
    from cli.progress import fold_progress
    from consumers.forwarder.mending.rebuild import rebuild as rebuild_sink

    settings = read_settings(data, topology=topology)
    with open_means(settings) as means, fold_progress("Rebuilding") as progress:
        done = rebuild_sink(route(settings, sink), means, progress)
    typer.echo(f"Rebuilt from {done.events:,} events; {done.dead:,} of them could not be passed on.")


@app.command()
def repair(
    positions: PositionsArgument = None,
    sink: SinkOption = None,
    data: DataOption = None,
    topology: TopologyOption = None,
) -> None:
    """Compare ClickHouse with the log, and send anew what differs, and what is named. Forwarding waits meanwhile."""
    from cli.forward.parts import open_means, route
    from cli.forward.positions import ranges
    from consumers.forwarder.mending.by_hand import mend

    settings, named = read_settings(data, topology=topology), ranges(positions or ())
    with open_means(settings) as means:
        done = mend(route(settings, sink), means, named)
    typer.echo(f"Compared up to position {done.until:,}; {done.events:,} events were sent anew.")
