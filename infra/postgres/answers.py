"""The first answers to requests that have a key, so that a retry gets the same."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass

import orjson
from psycopg import Connection, OperationalError
from psycopg.rows import DictRow

from domain.errors import Unavailable
from infra.postgres.database import Database, typed_errors

KEEP = "1 day"
PRUNE_SECONDS = 600.0
PRUNE_ROWS = 10_000


@dataclass(frozen=True)
class Claim:
    """A request under a key. `fingerprint` tells it from others."""

    actor_id: int
    key: str
    fingerprint: bytes

    @property
    def mark(self) -> str:
        """What stands in the log: the key, and which request it was. (A key has no blanks.)"""
        return f"{self.key} {self.fingerprint.hex()[:16]}"


@dataclass(frozen=True)
class Answer:
    """`headers`: those that belong to the content."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Recorded:
    """The event that carries the key: something was done."""

    position: int
    stream: str
    version: int
    type: str


@dataclass(frozen=True)
class Found:
    """What there is under a key. `mine`: the caller has claimed it and is to go on; `same`: the request is that of the
    first; `answer`: the first answer; `recorded`: what the log says. With none of these: another works on it.
    """

    mine: bool
    same: bool
    answer: Answer | None
    recorded: Recorded | None


# A claim whose claimant is dead goes over to the next who asks: nobody holds its lock any more.
CLAIM = """
WITH claimed AS (
    INSERT INTO log.answers AS a (actor_id, key, fingerprint, claimant)
    VALUES (%(actor)s, %(key)s, %(fingerprint)s, %(me)s)
    ON CONFLICT (actor_id, key) DO UPDATE SET claimant = excluded.claimant, claimed_at = now()
    WHERE a.status IS NULL AND a.claimant <> excluded.claimant AND a.fingerprint = excluded.fingerprint
        AND pg_try_advisory_xact_lock_shared(a.claimant)
    RETURNING 1
)
SELECT EXISTS (SELECT FROM claimed) AS mine, a.fingerprint, a.status, a.headers, a.body,
    e.position, e.stream, e.version, e.type
FROM (SELECT 1) one
LEFT JOIN log.answers a ON a.actor_id = %(actor)s AND a.key = %(key)s
LEFT JOIN log.events e ON e.actor_id = %(actor)s AND e.idempotency_key = %(mark)s
"""


class Answers:
    """Thread-safe; one for each process. What it claims it holds as long as it lives, and a lock in the database tells
    others that it does.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._opening = threading.Lock()
        self._alive: Connection[DictRow] | None = None
        self._me = 0
        self._pruned = time.monotonic()

    def find_or_claim(self, claim: Claim) -> Found:
        params = {
            "actor": claim.actor_id,
            "key": claim.key,
            "mark": claim.mark,
            "fingerprint": claim.fingerprint,
            "me": self._claimant(),
        }
        self._prune()
        try:
            row = self._database.query_one(CLAIM, params) or {}
        except Unavailable:
            self.close()  # it may yet be claimed, when a server that hung goes on, and by nobody who knows of it
            raise
        recorded = None
        if row["position"] is not None:
            recorded = Recorded(row["position"], row["stream"], row["version"], row["type"])
        answer = Answer(row["status"], row["headers"], bytes(row["body"])) if row["status"] is not None else None
        same = row["mine"] or row["fingerprint"] in (None, claim.fingerprint)
        return Found(row["mine"], same, answer, recorded)

    def answer(self, claim: Claim, answer: Answer) -> None:
        """Keeps the first answer, unless the claim has gone over to another."""
        self._database.query(
            "UPDATE log.answers SET status = %s, headers = %s, body = %s"
            " WHERE actor_id = %s AND key = %s AND claimant = %s RETURNING 1",
            (answer.status, orjson.dumps(answer.headers).decode(), answer.body, claim.actor_id, claim.key, self._me),
        )

    def give_up(self, claim: Claim) -> None:
        """Nothing was done: whoever asks next begins anew."""
        try:
            self._database.query(
                "DELETE FROM log.answers WHERE actor_id = %s AND key = %s AND claimant = %s AND status IS NULL"
                " RETURNING 1",
                (claim.actor_id, claim.key, self._me),
            )
        except Unavailable:
            # Nobody could ever take it over. Without the lock all our claims are free; the log still takes each key
            # only once.
            self.close()
            raise

    def close(self) -> None:
        with self._opening:
            if self._alive is not None:
                self._alive.close()
                self._alive = None

    def _claimant(self) -> int:
        """This process's number, whose lock it holds. A new one when the connection that holds it was lost."""
        with self._opening:
            if self._alive is not None:
                try:
                    self._alive.execute("SELECT 1")
                    return self._me
                except OperationalError:
                    self._alive.close()
            self._me = secrets.randbits(62)
            with typed_errors():
                self._alive = self._database.connect()
                self._alive.execute("SELECT pg_advisory_lock(%s)", (self._me,))
            return self._me

    def _prune(self) -> None:
        if time.monotonic() < self._pruned + PRUNE_SECONDS:
            return
        self._pruned = time.monotonic()
        self._database.query(
            "DELETE FROM log.answers WHERE (actor_id, key) IN (SELECT actor_id, key FROM log.answers"
            " WHERE claimed_at < now() - %s::interval ORDER BY claimed_at LIMIT %s) RETURNING 1",
            (KEEP, PRUNE_ROWS),
        )
