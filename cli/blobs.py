"""`annals blobs`: where uploaded media is kept."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.database import open_system
from cli.options import DataOption, read_settings

app = typer.Typer(help="Move uploaded media from one store to another.", no_args_is_help=True)


@app.callback()
def blobs() -> None:
    """Move uploaded media from one store to another."""


@app.command()
def copy(
    to: Annotated[str, typer.Option("--to", help="s3://bucket/prefix?endpoint=…&region=…, or a folder for files.")],
    data: DataOption = None,
) -> None:
    """Copy every blob that the log names to another store, while the service runs on. It may be started again as often
    as needed: what is there already is left alone. Exits with 1 when a blob is missing.
    """
    settings = read_settings(data)
    with open_system(settings) as system:
        from cli.portability import Blobs
        from cli.wanted_blobs import wanted_blobs
        from infra.blobs import open_blobs
        from infra.blobs.copying import BlobCopier
        from infra.blobs.opening import open_target

        going = Blobs(BlobCopier(open_blobs(settings), open_target(settings, to)))
        for task_id, files in wanted_blobs(system):
            going.add(task_id, files)
        going.finish()
    typer.echo(f"all {going.seen:,} blobs are there; {going.copied:,} of them were copied now")
