"""Who may do the work of a follower of the log. The lock is PostgreSQL's, and ends with the connection that holds it.

There is one relay. A forwarder that reads the log has its sink for itself; those that share Kafka's partitions share
it. Whoever rebuilds a sink waits for the lock, and forwarders that see somebody wait go out of the way.
"""

from __future__ import annotations

from psycopg import Connection
from psycopg.errors import LockNotAvailable
from psycopg.rows import DictRow

from domain.errors import Unavailable
from infra.eventlog.followers import LOCKS

WAIT_SECONDS = 60.0


class FollowerLock:
    """Of the follower of this name, on one connection."""

    def __init__(self, connection: Connection[DictRow], follower: str) -> None:
        self._connection = connection
        self._names = (LOCKS, follower)

    def take(self, *, shared: bool = False) -> bool:
        """Whether it was to be had; not while somebody waits for it."""
        function = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
        row = self._connection.execute(f"SELECT {function}(%s, hashtext(%s)) AS locked", self._names).fetchone()
        return bool(row and row["locked"])

    def share(self) -> None:
        """From now on with those who want to share it. Whoever waits to have it alone does not come in between: two
        who start together, and prepare something alone before they share, would keep each other out for ever.
        """
        self._connection.execute("SELECT pg_advisory_lock_shared(%s, hashtext(%s))", self._names)
        self.release()

    def release(self, *, shared: bool = False) -> None:
        """At once, as it was taken; a connection that is closed gives it back only when PostgreSQL notices."""
        function = "pg_advisory_unlock_shared" if shared else "pg_advisory_unlock"
        self._connection.execute(f"SELECT {function}(%s, hashtext(%s))", self._names)

    def wanted(self) -> bool:
        """Whether somebody waits for it."""
        row = self._connection.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objsubid = 2"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = %s::oid AND objid::bigint = hashtext(%s)::bigint & 4294967295) AS wanted",
            self._names,
        ).fetchone()
        return bool(row and row["wanted"])

    def wait(self, seconds: float = WAIT_SECONDS) -> None:
        """Takes it when all others have gone. Raises Unavailable when they have not after so many seconds."""
        with self._connection.transaction():
            self._connection.execute("SELECT set_config('lock_timeout', %s, true)", (f"{int(seconds * 1000)}ms",))
            try:
                self._connection.execute("SELECT pg_advisory_lock(%s, hashtext(%s))", self._names)
            except LockNotAvailable:
                raise Unavailable(f"A forwarder did not go out of the way within {seconds:g} seconds") from None
