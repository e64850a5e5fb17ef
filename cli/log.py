"""`annals log`: the log as a file, to keep, to move and to look into."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from cli.database import any_database, fresh_database
from cli.options import DataOption, read_settings

app = typer.Typer(help="Keep the log in a file, and make an installation from it.", no_args_is_help=True)

BlobsOption = Annotated[Path | None, typer.Option("--blobs", help="A folder for the blobs that the events name.")]


@app.command("export")
def export_log(
    file: Annotated[Path, typer.Argument(help="Where to write to; - is standard output.")],
    blobs: BlobsOption = None,
    after: Annotated[int, typer.Option(min=0, help="Only events behind this position.")] = 0,
    until: Annotated[int | None, typer.Option(min=0, help="Only events up to this position.")] = None,
    stream: Annotated[list[str] | None, typer.Option(help="Only of this stream, such as task-1.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Only events from this time on (UTC).")] = None,
    before: Annotated[datetime | None, typer.Option(help="Only events before this time (UTC).")] = None,
    data: DataOption = None,
) -> None:
    """Write the log into a file, while the service runs on. It holds the hashes of passwords: keep it to yourself."""
    settings = read_settings(data)
    with any_database(settings) as url, ExitStack() as undo:
        from cli.portability import Blobs, purged_tasks, utc
        from cli.version import version
        from infra.blobs import FileBlobs, open_blobs
        from infra.blobs.copying import BlobCopier
        from infra.eventlog.portable import Selection, export
        from infra.postgres.database import Database

        selection = Selection(after, sys.maxsize if until is None else until, stream or (), utc(since), utc(before))
        connection = undo.enter_context(Database(url).connect())
        target = undo.enter_context(_writing(file))
        if blobs:
            going = Blobs(BlobCopier(open_blobs(settings), FileBlobs(blobs)), purged_tasks(connection))
            header, trailer = export(connection, target, selection, version(), going.exported)
            going.finish()
            copied = going.copied
        else:
            header, trailer = export(connection, target, selection, version())
            copied = 0
    _say(f"{trailer.events:,} events, positions {header.after + 1:,} to {header.until:,}, into {file}", blobs, copied)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="What `annals log export` wrote; - is standard input.")],
    blobs: BlobsOption = None,
    data: DataOption = None,
) -> None:
    """Make an installation from a file: same events, same positions, same ids. The data folder is a new one, or one
    that was made from the files before.
    """
    settings = read_settings(data)
    with fresh_database(settings) as url, _reading(file) as source, ExitStack() as undo:
        from cli.portability import Blobs
        from cli.progress import fold_progress
        from cli.rebuilding import prepare
        from infra.blobs import FileBlobs, open_blobs
        from infra.blobs.copying import BlobCopier
        from infra.eventlog.portable import PortableReader, import_log
        from infra.postgres.database import Database

        prepare(url)
        connection = undo.enter_context(Database(url).connect())
        if blobs:
            coming = Blobs(BlobCopier(FileBlobs(blobs), open_blobs(settings)))
            done = import_log(connection, PortableReader(source), coming.imported, coming.finish)
            copied = coming.copied
        else:
            done = import_log(connection, PortableReader(source))
            copied = 0
        with fold_progress("Building projections") as progress:
            prepare(url, progress)
    _say(f"{done.events:,} events, up to position {done.head:,}, are in {settings.data}", blobs, copied)


@app.command()
def check(file: Annotated[Path, typer.Argument(help="What `annals log export` wrote; - is standard input.")]) -> None:
    """Tell what a file holds, and whether it is whole."""
    with _reading(file) as source:
        from infra.eventlog.portable import PortableReader, consecutive

        reader = PortableReader(source)
        count = sum(1 for _ in consecutive(reader))
    header = reader.header
    what = "all" if header.whole else "a selection"
    typer.echo(f"{count:,} events: {what} of positions {header.after + 1:,} to {header.until:,}")
    typer.echo(f"written {header.created} by Annals {header.annals}; it is whole")


@contextmanager
def _writing(file: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner can read, and that has its name when it is whole."""
    if str(file) == "-":
        yield sys.stdout.buffer
        return
    import os
    import secrets

    from infra.blobs.disk import disk_errors, fsync

    unfinished = file.with_name(f"{file.name}.{secrets.token_hex(4)}.unfinished")
    with disk_errors():
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as target:
                yield target
                target.flush()
                os.fsync(target.fileno())
            unfinished.rename(file)
            fsync(file.absolute().parent)
        finally:
            unfinished.unlink(missing_ok=True)


@contextmanager
def _reading(file: Path) -> Iterator[BinaryIO]:
    if str(file) == "-":
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") as source:
            yield source
    except FileNotFoundError:
        raise typer.BadParameter(f"there is no file {file}") from None


def _say(text: str, blobs: Path | None, copied: int) -> None:
    """On standard error: the file may be standard output."""
    typer.echo(text if blobs is None else f"{text}; {copied:,} blobs copied", err=True)
