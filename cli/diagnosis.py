"""What `annals doctor` looks at."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.memory import Usage, usages
from cli.output import shown, shown_bytes
from cli.serving.server_file import ServerInfo
from cli.version import version

if TYPE_CHECKING:
    from infra.postgres.database import Database
    from infra.settings import Settings

DURABILITY = ("fsync", "synchronous_commit", "full_page_writes")
LITTLE_DISK = 1024**3
LATE_SECONDS = 30
"""An agent that did not beat for so long is late."""


@dataclass(frozen=True)
class Symptom:
    """One thing that was looked at. `trouble`: what is wrong with it, and what to do; None when there is nothing."""

    topic: str
    name: str
    value: str
    trouble: str | None = None


def diagnose(settings: Settings, database: Database, server: ServerInfo | None) -> Iterator[Symptom]:
    yield from _versions(database)
    yield from _server(server)
    yield from _processes(settings, server)
    yield from _disk(settings)
    yield from _durability(database)
    yield from _log(settings, database)
    yield from _projections(database)
    yield from _followers(settings, database, running=server is not None)
    yield from _agents(database)
    yield from _queues(database)


def _versions(database: Database) -> Iterator[Symptom]:
    yield Symptom("versions", "annals", version())
    yield Symptom("versions", "python", platform.python_version())
    yield Symptom("versions", "postgresql", _one(database, b"SHOW server_version"))


def _server(server: ServerInfo | None) -> Iterator[Symptom]:
    if server is None:
        yield Symptom("server", "state", "not running")
        return
    yield Symptom("server", "state", f"running since {server.started}")
    yield Symptom("server", "api", server.url)
    yield Symptom("server", "clickhouse", server.clickhouse_url)


def _processes(settings: Settings, server: ServerInfo | None) -> Iterator[Symptom]:
    if server is None:
        return
    wanted = {"server": server.pid, **server.processes}
    if postgres := _postgres_pid(settings):
        wanted["postgres"] = postgres
    found = usages(wanted)
    for usage in found:
        yield Symptom("memory", usage.name, _memory(usage))
    for name in sorted(wanted.keys() - {usage.name for usage in found}):
        logs = settings.data / "logs" / f"{name}.log"
        yield Symptom("memory", name, "gone", f"{name} is not running just now: look into {logs}")
    yield Symptom("memory", "sum", shown_bytes(sum(usage.bytes for usage in found)))


def _postgres_pid(settings: Settings) -> int | None:
    if settings.database_url:
        return None
    from infra.postgres.folder import ServerFolder
    from infra.postgres.postmaster import find

    process = find(ServerFolder(settings.postgres))
    return process.pid if process else None


def _memory(usage: Usage) -> str:
    return f"{shown_bytes(usage.bytes)} {'' if usage.proportional else 'resident '}(process {usage.pid})"


def _disk(settings: Settings) -> Iterator[Symptom]:
    free = shutil.disk_usage(settings.data).free
    trouble = f"only {shown_bytes(free)} are free in {settings.data}" if free < LITTLE_DISK else None
    yield Symptom("disk", "free", shown_bytes(free), trouble)
    for folder in (settings.postgres, settings.clickhouse, settings.cache, settings.uploads, settings.exchange):
        yield Symptom("disk", folder.name, shown_bytes(_count(folder)[1]))
    yield _blobs(settings)


def _blobs(settings: Settings) -> Symptom:
    from domain.errors import AnnalsError
    from infra.blobs import open_blobs

    try:
        usage = open_blobs(settings).usage()
    except AnnalsError as error:
        return Symptom("disk", "blobs", "out of reach", error.message)
    return Symptom("disk", "blobs", f"{usage.blobs:,} ({shown_bytes(usage.bytes)})")


def _count(folder: os.PathLike[str]) -> tuple[int, int]:
    """Files below a folder, and their bytes. Names that begin with a dot are unfinished."""
    count = size = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            try:
                size += os.lstat(os.path.join(parent, name)).st_size
                count += 1
            except FileNotFoundError:
                continue
    return count, size


def _durability(database: Database) -> Iterator[Symptom]:
    for name in DURABILITY:
        value = _one(database, f"SHOW {name}".encode())
        trouble = None
        if value == "off":
            trouble = f"{name} is off: a power cut can lose what was acknowledged; ALTER SYSTEM RESET {name}"
        yield Symptom("database", name, value, trouble)


def _log(settings: Settings, database: Database) -> Iterator[Symptom]:
    from cli.database import service_url
    from infra.postgres.database import Database as Connections

    with Connections(service_url(settings, database.url)).connect() as connection:
        row = connection.execute("SELECT has_table_privilege('log.events', 'UPDATE') AS may").fetchone()
    guard = "a trigger only: the service's log-in owns the tables" if row and row["may"] else "privilege"
    yield Symptom("log", "append-only by", guard)
    head = _one(database, b"SELECT coalesce(max(position), 0) FROM log.events")
    size = _one(database, b"SELECT pg_total_relation_size('log.events')")
    yield Symptom("log", "head", f"{int(head):,} ({shown_bytes(int(size))})")


def _projections(database: Database) -> Iterator[Symptom]:
    from projections.registry import REGISTRY

    rows = database.query("SELECT name, version, position, built_at FROM log.projections ORDER BY version")
    built = {(row["name"], row["version"]): row for row in rows}
    for name, projection in REGISTRY.items():
        row = built.get((name, projection.version))
        if row is None:
            others = [f"version {version}" for other, version in built if other == name]
            value = ", ".join(others) or "not built"
            trouble = f"projection {name} is wanted in version {projection.version}: `annals replay {name}`"
            yield Symptom("projections", name, value, trouble)
        else:
            since = f"built {shown(row['built_at'])} at position {row['position']:,}"
            yield Symptom("projections", name, f"version {row['version']}, {since}")


def _followers(settings: Settings, database: Database, *, running: bool) -> Iterator[Symptom]:
    from cli.forward.followers import wanted_followers
    from infra.eventlog.followers import followers

    for one in followers(database, wanted_followers(settings)):
        value = f"position {one.position:,}, {one.events:,} behind" if one.in_use else "not in use"
        late = running and one.trouble is not None
        trouble = f"{one.follower} {one.trouble}, {one.events:,} events behind: look into its log" if late else None
        yield Symptom("followers", one.follower, value, trouble)


def _agents(database: Database) -> Iterator[Symptom]:
    rows = database.query(
        "SELECT agent, queues, extract(epoch FROM now() - beat_at)::float AS silent FROM log.agents"
        " WHERE beat_at > now() - interval '1 day' ORDER BY agent"
    )
    for row in rows:
        state = "" if row["silent"] < LATE_SECONDS else ", gone"
        yield Symptom("agents", row["agent"], f"{', '.join(row['queues'])}; heard {row['silent']:.0f} s ago{state}")


def _queues(database: Database) -> Iterator[Symptom]:
    rows = database.query(
        "SELECT queue, count(*) FILTER (WHERE status = 'queued') AS waiting,"
        " count(*) FILTER (WHERE status = 'started') AS running, count(*) FILTER (WHERE status = 'failed') AS failed,"
        " (SELECT count(*) FROM log.agents a WHERE r.queue = ANY (a.queues)"
        "   AND a.beat_at > now() - make_interval(secs => %s)) AS agents"
        " FROM requests r GROUP BY queue ORDER BY queue",
        (LATE_SECONDS,),
    )
    for row in rows:
        value = "{waiting:,} waiting, {running:,} running, {failed:,} failed; {agents:,} agents".format(**row)
        alone = row["waiting"] and not row["agents"]
        trouble = f"nobody serves queue {row['queue']}: start `annals agent`" if alone else None
        yield Symptom("queues", row["queue"], value, trouble)


def _one(database: Database, statement: bytes) -> str:
    row: dict[str, Any] = database.query_one(statement) or {"value": ""}
    return str(next(iter(row.values())))
