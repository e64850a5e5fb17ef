"""The embedded ClickHouse of a fresh data folder has its tables before it answers anybody."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from cli.clickhouse_address import any_clickhouse
from infra.clickhouse import schema
from infra.clickhouse.client import connect
from infra.settings import Settings


def test_who_is_answered_finds_the_tables(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with any_clickhouse(settings) as url, closing(connect(url)) as client:
        assert schema.is_empty(client, schema.DEFAULT)
        views = "SELECT countIf(name LIKE 'fill_%') FROM system.tables WHERE database = 'cvat'"
        assert client.query(views).first_row == (len(schema.tables()) - 1,)
        client.command("DROP TABLE cvat.fill_job_changes SYNC")
    with any_clickhouse(settings) as url, closing(connect(url)) as client:
        assert client.command("EXISTS cvat.fill_job_changes") == 0, "the forwarder fills a table that is not complete"
        schema.migrate(client)
        assert client.command("EXISTS cvat.fill_job_changes") == 1
