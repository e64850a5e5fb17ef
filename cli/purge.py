"""`annals purge`: freeing the space of what was deleted long ago."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.database import open_system
from cli.options import DataOption, read_settings


def purge(
    task: Annotated[list[int] | None, typer.Argument(help="Deleted tasks. Left out: all that are old enough.")] = None,
    older_than: Annotated[
        float | None, typer.Option(min=0, help="Days since the deletion. [default: ANNALS_PURGE_AFTER_DAYS]")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    data: DataOption = None,
) -> None:
    """Remove the images and annotations of deleted tasks for good. Their events stay; the tasks can't come back."""
    settings = read_settings(data)
    days = settings.purge_after_days if older_than is None else older_than
    with open_system(settings) as system:
        from cli.output import print_table, shown_bytes
        from cli.purging import purge, purgeable
        from infra.blobs import open_blobs

        chosen = purgeable(system, 0 if task else days)
        if task:
            chosen = [row for row in chosen if row["id"] in task]
            if missing := sorted(set(task) - {row["id"] for row in chosen}):
                raise typer.BadParameter(f"not deleted, or purged already: {', '.join(map(str, missing))}")
        names = ("id", "name", "frames", "deleted_date", "deleted_by")
        print_table(("task", "name", "frames", "deleted", "by"), [[row[name] for name in names] for row in chosen])
        if chosen and not dry_run and not yes:
            typer.confirm(f"Remove the data of {len(chosen)} for good?", abort=True)
        freed = purge(system, open_blobs(settings), [row["id"] for row in chosen], dry_run=dry_run)
    done = "would be" if dry_run else "were"
    typer.echo(f"{freed.tasks:,} tasks {done} purged, {freed.blobs:,} files removed: {shown_bytes(freed.bytes)}")
