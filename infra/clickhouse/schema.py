"""The ordered migrations of ClickHouse. The same files serve the embedded engine and a server."""

from __future__ import annotations

from importlib.resources import files

from clickhouse_connect.driver.client import Client

from infra.clickhouse.client import typed_errors

DONE = "cvat.annals_migrations"


def migrate(client: Client) -> list[str]:
    """Bring ClickHouse up to date; returns the names of the migrations that ran.

    ClickHouse has no transactions around DDL: each statement is written so that it may run again, and a migration is
    noted when all of it has run.
    """
    with typed_errors():
        client.command("CREATE DATABASE IF NOT EXISTS cvat")
        client.command(
            f"CREATE TABLE IF NOT EXISTS {DONE} (name String, applied_at DateTime64(3, 'Etc/UTC') DEFAULT now64(3))"
            " ENGINE = ReplacingMergeTree ORDER BY name"
        )
        done = {name for (name,) in client.query(f"SELECT name FROM {DONE}").result_rows}  # noqa: S608
        pending = [name for name in migration_names() if name not in done]
        for name in pending:
            for statement in statements(name):
                client.command(statement)
            client.insert(DONE, [[name]], ["name"], column_type_names=["String"])
    return pending


def migration_names() -> list[str]:
    return sorted(entry.name for entry in files("infra.clickhouse.migrations").iterdir() if entry.name.endswith(".sql"))


def statements(name: str) -> list[str]:
    """The statements of a migration. Each ends with a semicolon at the end of a line."""
    text = files("infra.clickhouse.migrations").joinpath(name).read_text()
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip(" ;\n")]
