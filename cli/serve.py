"""`annals serve`: everything that Annals is, in one command."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DataOption, read_settings
from domain.errors import AnnalsError

if TYPE_CHECKING:
    from cli.server_file import ServerInfo
    from cli.supervisor import StopSignal, Supervisor
    from infra.postgres.embedded import EmbeddedPostgres
    from infra.settings import Settings

LOOK_AT_POSTGRES_SECONDS = 1.0


def serve(
    data: DataOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API; 0: a free one.", show_default="8080")] = None,
    clickhouse_port: Annotated[
        int | None, typer.Option(help="Port of the embedded ClickHouse; 0: a free one.", show_default="8123")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="API processes.", show_default="1")] = None,
) -> None:
    """Serve the API, the analytics and the processing of one data folder, until it is told to stop."""
    settings = read_settings(data, host=host, port=port, clickhouse_port=clickhouse_port, workers=workers)
    os.environ.pop("ANNALS_ADMIN_PASSWORD", None)  # nothing that the children need
    Server(settings).run()


class Server:
    """One run of `annals serve`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._postgres: EmbeddedPostgres | None = None
        self._looked = time.monotonic()

    def run(self) -> None:
        """Returns after an orderly stop. Raises AnnalsError when it can't start."""
        from cli import logs
        from cli.supervisor import StopSignal

        stop = StopSignal()
        with ExitStack() as undo:
            try:
                self._claim_folder(undo)
                logs.configure("server", self._settings.logs)
                self._serve(stop, undo)
            except AnnalsError:
                # Ctrl-C in the middle of a start ends the programs that are being waited for, too.
                if not stop.asked:
                    raise

    def _claim_folder(self, undo: ExitStack) -> None:
        from cli.server_file import ServerFile

        folder = self._settings.data
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = ServerFile(self._settings.run)
            self._file.claim()
        except OSError as error:
            raise AnnalsError(f"The data folder {folder} can't be used: {error.strerror}") from error
        undo.callback(self._file.release)

    def _serve(self, stop: StopSignal, undo: ExitStack) -> None:
        from cli.processes import Listening, supervisor

        listening = undo.enter_context(Listening(self._settings))
        # The children import their libraries while PostgreSQL starts.
        processes = supervisor(self._settings, listening)
        undo.callback(processes.stop, stop)
        processes.start()
        whereabouts = self._start_database(undo, processes)
        self._wait_until_ready(stop, processes, listening)
        if not stop.asked:
            self._tell(processes, listening, whereabouts)
        processes.watch(stop, self._keep_postgres, lambda: self._write_file(processes, listening))
