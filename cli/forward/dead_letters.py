"""`annals forward dead-letters`: events that could not be passed on: why, and once more when that has been mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DataOption, JsonOption, SinkOption, TopologyOption, read_settings

if TYPE_CHECKING:
    from consumers.forwarder.dead_letters import DeadLetter
    from infra.settings import Settings

app = typer.Typer(help="Events that a sink could not be given: why, and once more.", no_args_is_help=True)
PlacesArgument = Annotated[list[str] | None, typer.Argument(metavar="[PLACE]…", help="As in the list; left out: all.")]


@app.command("list")
def list_letters(
    sink: SinkOption = None, data: DataOption = None, topology: TopologyOption = None, as_json: JsonOption = False
) -> None:
    """All of them, in the order of the log, with the reason. The event itself: `annals events show POSITION`."""
    from dataclasses import asdict

    from cli.output import print_json, print_table

    letters = _letters(read_settings(data, topology=topology), sink)
    if as_json:
        print_json([asdict(letter) for letter in letters])
    elif not letters:
        typer.echo("There are none.")
    else:
        rows = [(letter.place, letter.stage, letter.noted_at, letter.error) for letter in letters]
        print_table(("place", "stage", "since", "why"), rows)


@app.command()
def retry(
    places: PlacesArgument = None,
    sink: SinkOption = None,
    data: DataOption = None,
    topology: TopologyOption = None,
) -> None:
    """Read them from the log again and send them. Exits with 1 if any is refused once more."""
    from cli.forward.parts import open_means, route
    from consumers.forwarder.mending.resending import resend

    settings = read_settings(data, topology=topology)
    letters = _chosen(_letters(settings, sink), places)
    with open_means(settings) as means:
        done = resend(route(settings, sink), means, letters)
    typer.echo(f"{done.delivered:,} delivered, {len(done.dead):,} refused again.")
    for letter in done.dead:
        typer.echo(f"{letter.place}: {letter.error}")
    raise typer.Exit(1 if done.dead else 0)


@app.command()
def drop(
    places: Annotated[list[str], typer.Argument(metavar="PLACE…", help="As in the list.")],
    sink: SinkOption = None,
    data: DataOption = None,
    topology: TopologyOption = None,
) -> None:
    """Forget messages of Kafka that are no events. What is in the log stays a dead letter until it is delivered."""
    from cli.database import open_database
    from cli.forward.parts import route
    from consumers.forwarder.dead_letters import forget

    settings = read_settings(data, topology=topology)
    letters = _chosen(_letters(settings, sink), places)
    if events := [letter.place for letter in letters if letter.position is not None]:
        raise typer.BadParameter(f"{events[0]} is an event of the log: retry it")
    with open_database(settings) as database, database.connect() as connection:
        number = forget(connection, route(settings, sink).consumer, [letter.place for letter in letters])
    typer.echo(f"{number:,} forgotten.")


def _letters(settings: Settings, sink: str | None) -> list[DeadLetter]:
    from cli.database import open_database
    from cli.forward.parts import route
    from consumers.forwarder.dead_letters import listed

    with open_database(settings) as database, database.connect() as connection:
        return listed(connection, route(settings, sink).consumer)


def _chosen(letters: list[DeadLetter], places: list[str] | None) -> list[DeadLetter]:
    if not places:
        return letters
    known = {letter.place: letter for letter in letters}
    if unknown := [place for place in places if place not in known]:
        raise typer.BadParameter(f"there is no dead letter {unknown[0]}")
    return [known[place] for place in places]
