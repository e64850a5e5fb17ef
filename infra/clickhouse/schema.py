"""The ordered migrations of ClickHouse. The same files serve the embedded engine and a server."""

from __future__ import annotations

from importlib.resources import files

from clickhouse_connect.driver.client import Client

from infra.clickhouse.client import typed_errors


def migrate(client: Client) -> None:
    """Bring ClickHouse up to date. Raises Unavailable, ClickHouseRefused.

    All migrations run in order, each time: ClickHouse has no transactions around DDL, so a note of what has run could
    be wrong. Each statement is written to change nothing when what it does is done (IF NOT EXISTS).
    """
    with typed_errors():
        for name in migration_names():
            for statement in statements(name):
                client.command(statement)


def migration_names() -> list[str]:
    return sorted(entry.name for entry in files("infra.clickhouse.migrations").iterdir() if entry.name.endswith(".sql"))


def statements(name: str) -> list[str]:
    """The statements of a migration. Each ends with a semicolon at the end of a line."""
    text = files("infra.clickhouse.migrations").joinpath(name).read_text()
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    parts = ("\n".join(lines) + "\n").split(";\n")
    return [part.strip() for part in parts if part.strip()]
