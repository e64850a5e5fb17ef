"""A process that serves the embedded ClickHouse."""

from __future__ import annotations

import signal
import sys

from cli.clickhouse_address import anybody_reads
from cli.roles.collector import calm_collector
from cli.serving.secret_file import kept_secret
from infra.clickhouse.layout import Layout
from infra.clickhouse.server import serve
from infra.settings import Settings


def run(settings: Settings) -> None:
    """Until SIGTERM."""
    # `serve` repeats a SIGTERM when it is done; by then that has been obeyed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    calm_collector()
    password = kept_secret(settings.clickhouse_password_file)
    serve(
        settings.clickhouse,
        settings.host,
        settings.clickhouse_port,
        password,
        readers=settings.clickhouse_readers_file,
        anonymous=anybody_reads(settings),
        layout=Layout.of(settings),
    )
