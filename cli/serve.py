"""`annals serve`: everything that Annals is, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DataOption, read_settings


def serve(
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API; 0: a free one.", show_default="8080")] = None,
    clickhouse_port: Annotated[
        int | None, typer.Option(help="Port of the embedded ClickHouse; 0: a free one.", show_default="8123")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="API processes.", show_default="1")] = None,
    ui: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder with a built web UI to serve beside the API.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="NAME", help="Serve this copy instead: only the API, only to read.")
    ] = None,
) -> None:
    """Serve the API, the analytics and the processing of one data folder, until told to stop (SIGTERM, Ctrl-C)."""
    settings = read_settings(data, host=host, port=port, clickhouse_port=clickhouse_port, workers=workers, ui=ui)
    if settings.ui is not None and not (settings.ui / "index.html").is_file():
        raise typer.BadParameter(f"{settings.ui} holds no index.html, so no built web UI", param_hint="--ui")
    if as_of is not None:
        from cli.copies import serve_copy

        serve_copy(settings, as_of)
        return
    from cli.serving.server import Server

    Server(settings).run()
