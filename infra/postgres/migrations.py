"""Ordered migrations of what is not a projection: the log and its neighbours. Projections bring their own tables."""

from __future__ import annotations

from importlib.resources import files

import psycopg

MIGRATION_LOCK = 0x416E6E616C73  # "Annals"


def migrate(connection: psycopg.Connection[psycopg.rows.DictRow]) -> list[str]:
    """Bring the database up to date; returns the names of the migrations that ran. Safe to run from many processes."""
    with connection.transaction():
        # Without the lock two processes that start together would both see a migration missing and both run it.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS public.annals_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        done = {row["name"] for row in connection.execute("SELECT name FROM public.annals_migrations")}
        pending = [name for name in migration_names() if name not in done]
        for name in pending:
            connection.execute(_text(name))
            connection.execute("INSERT INTO public.annals_migrations (name) VALUES (%s)", (name,))
    return pending


def applied(connection: psycopg.Connection[psycopg.rows.DictRow]) -> set[str]:
    """The names of the migrations that the database has had; of one that was never migrated: none."""
    row = connection.execute("SELECT to_regclass('public.annals_migrations') IS NOT NULL AS found").fetchone()
    if not (row and row["found"]):
        return set()
    return {row["name"] for row in connection.execute("SELECT name FROM public.annals_migrations")}


def migration_names() -> list[str]:
    return sorted(entry.name for entry in files("infra.migrations").iterdir() if entry.name.endswith(".sql"))


def _text(name: str) -> bytes:
    return files("infra.migrations").joinpath(name).read_bytes()
