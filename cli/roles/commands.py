"""The processes of a server as commands of their own: `annals serve` starts them, and in a distributed deployment each
can run wherever it is wanted, as often as it is wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import DataOption, read_settings
from domain.errors import AnnalsError

if TYPE_CHECKING:
    from infra.settings import Settings

DatabaseUrl = Callable[[], str]
"""Waits until the database is ready."""

LifelineOption = Annotated[int | None, typer.Option(hidden=True, help="The supervisor's pipe (a file descriptor).")]
NameOption = Annotated[str | None, typer.Option("--name", help="The name of its log.")]


def api(
    data: DataOption = None,
    host: str | None = None,
    port: int | None = None,
    name: NameOption = None,
    socket: Annotated[int | None, typer.Option(hidden=True, help="A socket to serve (a file descriptor).")] = None,
    lifeline: LifelineOption = None,
) -> None:
    """Serve the API with one process."""
    settings = read_settings(data, host=host, port=port)
    with process(settings, name or "api", lifeline) as database_url:
        from cli.roles import api as api_process

        api_process.run(settings, database_url, socket)


def agent(
    data: DataOption = None,
    queue: Annotated[list[str] | None, typer.Option(help="A queue to serve: import, export. Left out: all.")] = None,
    name: NameOption = None,
    lifeline: LifelineOption = None,
) -> None:
    """Do processing work: take up what is queued."""
    from consumers.agent import QUEUES

    if unknown := set(queue or ()) - set(QUEUES):
        raise typer.BadParameter(f"there is no queue {', '.join(sorted(unknown))}")
    settings = read_settings(data)
    with process(settings, name or "agent", lifeline) as database_url:
        from cli.roles import agent as agent_process

        agent_process.run(settings, database_url, queue or QUEUES)


def relay(data: DataOption = None, name: NameOption = None, lifeline: LifelineOption = None) -> None:
    """Relay the log to Kafka."""
    settings = read_settings(data)
    with process(settings, name or "relay", lifeline) as database_url:
        from cli.roles import relay as relay_process

        relay_process.run(settings, database_url)


def clickhouse(
    data: DataOption = None,
    host: str | None = None,
    clickhouse_port: int | None = None,
    lifeline: LifelineOption = None,
) -> None:
    """Serve the embedded ClickHouse."""
    settings = read_settings(data, host=host, clickhouse_port=clickhouse_port)
    with process(settings, "clickhouse", lifeline):
        from cli.roles import clickhouse as clickhouse_process

        clickhouse_process.run(settings)


@contextmanager
def process(settings: Settings, name: str, lifeline: int | None) -> Iterator[DatabaseUrl]:
    """Sets up a process, whoever started it, and logs what ends it. Who started it by hand reads in a sentence what is
    not as it should be: it is raised.
    """
    from cli.roles.collector import stop_collector
    from cli.serving.lifeline import die_with_supervisor

    stop_collector()

    supervisor = None if lifeline is None else die_with_supervisor(lifeline)
    if supervisor is not None:
        from infra.metrics.sharing import share

        share(settings.metrics, name)  # before anything that counts is imported
    import structlog

    from cli import logs

    logs.configure(name, logs.folder(settings))
    log = structlog.get_logger()
    try:
        if supervisor is not None:
            yield supervisor.database_url
        else:
            with _by_hand(settings) as database_url:
                yield database_url
    except AnnalsError as error:
        if supervisor is None:
            raise
        log.error(f"ended by an error: {error.message}")
        raise typer.Exit(1) from None
    except Exception as error:
        log.exception(f"ended by an error: {error}")
        raise typer.Exit(1) from None


@contextmanager
def _by_hand(settings: Settings) -> Iterator[DatabaseUrl]:
    from contextlib import ExitStack

    with ExitStack() as stack:

        def database_url() -> str:
            from cli.database import any_database, service_url
            from cli.rebuilding import ensure_prepared

            url = stack.enter_context(any_database(settings))
            ensure_prepared(url)
            return service_url(settings, url)

        yield database_url
