"""`annals events`: what has happened."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.database import open_database
from cli.options import DataOption, JsonOption, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cli.event_query import EventQuery
    from domain.event import Event
    from infra.postgres.database import Database

app = typer.Typer(help="Look at what has happened.", no_args_is_help=True)

SHOWN_ITEMS = 3
"""Of a long list in a payload."""

STOP_NOTICED = 0.1
"""Seconds within which a stop is noticed."""


@app.command()
def tail(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens next.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="So many of the last events.")] = 20,
    event_type: Annotated[str | None, typer.Option("--type", help="Of this type only, such as TaskCreated.")] = None,
    stream: Annotated[str | None, typer.Option(help="Of this stream only, such as task-1.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the last events: position, time, and what happened in words."""
    _check_type(event_type)
    with open_database(read_settings(data)) as database:
        from cli.event_query import EventQuery

        query = EventQuery(database, event_type, stream)
        head = _head(database)  # before the events are read: what comes in between is one of them
        events = query.last(limit)
        _tell(events, as_json=as_json)
        if follow:
            _follow(database, query, max([head, *(event.position for event in events)]), as_json=as_json)


@app.command()
def show(
    event: Annotated[str, typer.Argument(help="A position (17), or a stream and a version (task-1@2).")],
    full: Annotated[bool, typer.Option("--full", help="Show long lists whole.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one event: who, when, where, why, and its payload. Secrets are left out."""
    with open_database(read_settings(data)) as database:
        from cli.event_query import EventQuery

        found = EventQuery(database).named(event)
    from cli.output import print_json
    from cli.phrases import sentence

    parts = {"what": sentence(found), **envelope(found), "payload": payload(found, full=full)}
    if as_json:
        print_json([parts])
    else:
        _show(parts)


def _tell(events: Iterable[Event], *, as_json: bool) -> None:
    from cli.output import print_json
    from cli.phrases import sentence

    if as_json:
        print_json({"what": sentence(event), **envelope(event)} for event in events)
        return
    for event in events:
        typer.echo(f"{event.position:>7}  {_clock(event.meta.time)}  {sentence(event)}")


def _follow(database: Database, query: EventQuery, position: int, *, as_json: bool) -> None:
    """Until Ctrl-C or SIGTERM; also where the shell that started it in the background had SIGINT ignored."""
    import threading

    from cli.roles.stopping import stop_event
    from infra.eventlog.subscription import Listener

    moved, stop = threading.Event(), stop_event()
    listener = Listener(database, lambda _: moved.set()).start()
    while not stop.is_set():
        if not moved.wait(STOP_NOTICED):
            continue
        moved.clear()
        for event in query.after(position):
            _tell([event], as_json=as_json)
            position = event.position
    listener.stop()


def envelope(event: Event) -> dict[str, Any]:
    """Everything about an event but its payload. Circumstances that there are none of are left out."""
    meta = event.meta
    circumstances = {
        "actor": meta.actor,
        "actor_id": meta.actor_id,
        "actor_email": meta.actor_email,
        "organization": meta.organization,
        "organization_id": meta.organization_id,
        "correlation_id": meta.correlation_id,
        "causation_id": meta.causation_id,
        "user_agent": meta.user_agent,
        "access_token_id": meta.access_token_id,
    }
    return {
        "position": event.position,
        "event": event.id,
        "type": event.body.type_name,
        "schema_version": event.body.schema_version,
        "time": meta.time,
        "source": meta.source,
    } | {name: value for name, value in circumstances.items() if value is not None}


def payload(event: Event, *, full: bool) -> dict[str, Any]:
    """The fields of the body; secrets hidden, and long lists cut unless `full`."""
    from infra.eventlog.mapper import public_fields

    fields = public_fields(event.body)
    return fields if full else _cut(fields)


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cut(item) for key, item in value.items()}
    if isinstance(value, list):
        more = len(value) - SHOWN_ITEMS
        items = [_cut(item) for item in value[:SHOWN_ITEMS]] if more > 0 else [_cut(item) for item in value]
        return [*items, f"… {more:,} more"] if more > 0 else items
    return value


def _show(parts: dict[str, Any]) -> None:
    import orjson

    for name, value in parts.items():
        if name not in ("what", "payload"):
            typer.echo(f"{name.replace('_', ' '):>15}  {value}")
    typer.echo(f"{'what':>15}  {parts['what']}\n")
    typer.echo(orjson.dumps(parts["payload"], option=orjson.OPT_INDENT_2).decode())


def _clock(time: datetime) -> str:
    """In the time zone of this machine; the date only when it is not today's."""
    local = time.astimezone()
    today = local.date() == datetime.now().astimezone().date()
    return f"{local:%H:%M:%S}" if today else f"{local:%Y-%m-%d %H:%M:%S}"


def _check_type(event_type: str | None) -> None:
    if event_type is None:
        return
    import domain.events  # noqa: F401  (registers every event type)
    from domain.event import body_types

    if event_type not in body_types():
        raise typer.BadParameter(f"there are {', '.join(body_types())}", param_hint="--type")


def _head(database: Database) -> int:
    row = database.query_one("SELECT coalesce(max(position), 0) AS head FROM log.events")
    return int(row["head"]) if row else 0
