"""One run of the whole service: PostgreSQL, the API, the agent, the forwarder and ClickHouse, from start to stop."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from urllib.parse import urlsplit

import structlog
import typer

from cli import logs
from cli.database import make_data_folder, service_url
from cli.progress import fold_progress
from cli.serving.listening import Listening
from cli.serving.processes import supervisor
from cli.serving.readiness import answers
from cli.serving.server_file import ServerFile, ServerInfo
from cli.serving.supervisor import StopSignal, Supervisor
from cli.version import version
from domain.errors import AnnalsError
from infra.metrics import sharing
from infra.postgres.embedded import EmbeddedPostgres
from infra.settings import Settings

READY_LOOK_SECONDS = 0.02
POSTGRES_LOOK_SECONDS = 1.0

log = structlog.get_logger()


class Server:
    """One run of `annals serve`, from the lock on its folder to the last process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file = ServerFile(settings.run)
        self._postgres = None if settings.database_url else EmbeddedPostgres(settings.postgres)
        self._began = self._postgres_looked = time.monotonic()
        self._listening: Listening
        self._processes: Supervisor

    def run(self) -> None:
        """Returns after an orderly stop. Raises AnnalsError when it can't start."""
        # The children don't need it, and the environment of a process can be looked at.
        os.environ.pop("ANNALS_ADMIN_PASSWORD", None)
        stop = StopSignal()
        self._check_topology()
        with ExitStack() as undo:
            try:
                self._claim_folder()
                undo.callback(self._file.release)
                logs.configure("server", logs.folder(self._settings))
                self._serve(stop, undo)
            except AnnalsError:
                # Ctrl-C in the middle of a start reaches the programs that it waits for, too.
                if not stop.asked:
                    raise

    def _check_topology(self) -> None:
        """Before anything is started: a forwarder that can't follow it would end again and again."""
        if self._settings.topology is not None:
            from cli.forward.parts import check  # which takes a moment

            check(self._settings)

    def _claim_folder(self) -> None:
        folder = self._settings.data
        try:
            make_data_folder(folder)
            self._file.claim()
            sharing.prepare(self._settings.metrics)
        except OSError as error:
            raise AnnalsError(f"The data folder {folder} can't be used: {error.strerror}") from error

    def _serve(self, stop: StopSignal, undo: ExitStack) -> None:
        settings = self._settings
        clickhouse_port = None if settings.clickhouse_url else settings.clickhouse_port
        self._listening = undo.enter_context(Listening(settings.host, settings.port, clickhouse_port, settings.workers))
        self._processes = supervisor(settings, self._listening)
        if self._postgres is not None:
            undo.callback(self._postgres.stop, lambda: stop.hurried)
        undo.callback(self._processes.stop, stop)
        self._processes.start_urgent()  # they import their libraries while PostgreSQL starts
        whereabouts = self._start_database()
        if self._until_ready(stop):
            self._processes.keep_alive()
            self._write_file()
            self._say_ready(whereabouts)
            self._processes.watch(stop, self._look_at_postgres, self._write_file)
        log.info("stopping")

    def _start_database(self) -> str:
        """Returns where the password of `admin` is, in words."""
        settings = self._settings
        url = self._postgres.start() if self._postgres else settings.database_owner_url or settings.database_url or ""
        # Imported here, so that PostgreSQL's start is not kept waiting.
        from cli.rebuilding import prepare
        from cli.serving.first_user import ensure_first_user

        log.info("database answers", after_s=round(time.monotonic() - self._began, 2))
        with fold_progress("Building projections") as progress:
            prepare(url, progress)
        whereabouts = ensure_first_user(self._settings, url)
        self._processes.tell(service_url(settings, url))
        log.info("database is prepared", after_s=round(time.monotonic() - self._began, 2))
        return whereabouts

    def _until_ready(self, stop: StopSignal) -> bool:
        """False when a stop was asked for before."""
        wanted = [f"{self._listening.url}/api/server/about"]
        if self._listening.clickhouse_url is not None:
            wanted.append(f"{self._listening.clickhouse_url}/ping")
        while wanted and not stop.wait(READY_LOOK_SECONDS):
            self._processes.keep_alive(urgent_only=True)
            for url in [url for url in wanted if answers(url)]:
                wanted.remove(url)
                log.info("answers", url=url, after_s=round(time.monotonic() - self._began, 2))
        return not stop.asked

    def _say_ready(self, whereabouts: str) -> None:
        parts = [self._listening.url, f"ClickHouse {self._clickhouse_url}", f"data in {self._settings.data}"]
        typer.echo(" · ".join(["Annals is ready: " + parts[0], *parts[1:], f"user admin, {whereabouts}"]))
        log.info("ready", url=self._listening.url, processes=self._processes.pids())

    @property
    def _clickhouse_url(self) -> str:
        """Without the user and password that a URL in the settings may hold."""
        given = urlsplit(self._settings.clickhouse_url or "")
        return self._listening.clickhouse_url or given._replace(netloc=given.netloc.rpartition("@")[2]).geturl()

    def _write_file(self) -> None:
        listening = self._listening
        self._file.write(
            ServerInfo(
                pid=os.getpid(),
                url=listening.url,
                clickhouse_url=self._clickhouse_url,
                host=listening.host,
                port=listening.port,
                clickhouse_port=listening.clickhouse_port,
                started=datetime.now(UTC).isoformat(timespec="seconds"),
                version=version(),
                processes=self._processes.pids(),
            )
        )

    def _look_at_postgres(self) -> None:
        """Starts the embedded server again if it has died."""
        if self._postgres is None or time.monotonic() < self._postgres_looked + POSTGRES_LOOK_SECONDS:
            return
        self._postgres_looked = time.monotonic()
        if self._postgres.running_url() is None:
            log.error("PostgreSQL has died and is started again")
            try:
                self._postgres.start()
            except AnnalsError as error:
                log.error(f"PostgreSQL does not start: {error.message}")
