"""`annals restore`: bringing back what was deleted."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.database import open_database, open_system
from cli.options import DataOption, JsonOption, read_settings


def restore(
    kind: Annotated[
        str | None, typer.Argument(help="project, task, job or label. Left out: tell what can come back.")
    ] = None,
    number: Annotated[int | None, typer.Argument(min=1, help="Its id.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring back a deleted project, task, job or label, with all that went with it; or tell what can come back."""
    if kind is None:
        _tell(data, as_json=as_json)
        return
    if number is None:
        raise typer.BadParameter("say which one", param_hint="NUMBER")
    with open_system(read_settings(data)) as system:
        from domain.event import SYSTEM, Context

        system.app.restoration.restore(Context(SYSTEM, source="cli"), f"{kind}-{number}")
    typer.echo(f"{kind} {number} is back")


def _tell(data: DataOption, *, as_json: bool) -> None:
    with open_database(read_settings(data)) as database:
        from projections.listing import Wanted, find
        from projections.resources import DELETED

        _, rows = find(database.query, DELETED, Wanted(limit=None))
    from cli.output import print_json, print_table

    names = ("stream", "name", "project_id", "task_id", "deleted_date", "deleted_by")
    if as_json:
        print_json({name: row[name] for name in names} for row in rows)
        return
    print_table(("what", "name", "project", "task", "deleted", "by"), [[row[name] for name in names] for row in rows])
