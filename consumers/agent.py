"""An agent: takes up the requests of its queues, one at a time, does the work, and records it with the request's end.

Several agents side by side are safe. Who takes a request up is decided by the log (two cannot append the same version),
and who has been silent for too long loses what it works on: its result is refused, and another agent starts again.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import psycopg
import structlog

from consumers.exchange import ExchangeSweep
from consumers.handlers import HANDLERS
from consumers.handlers.handler import Failure, Outcome, Tools
from consumers.heartbeat import Heartbeat
from domain.application import Annals
from domain.errors import (
    AnnalsError,
    Conflict,
    Invalid,
    MediaError,
    NotFound,
    TooLarge,
    Unavailable,
    VersionConflict,
)
from domain.event import SYSTEM, Actor, Context
from domain.request import Request
from infra.blobs import BlobStore, open_exchange
from infra.eventlog.subscription import Listener
from infra.metrics.agents import LEASE_EXPIRIES
from infra.postgres.database import Database
from infra.settings import Settings
from infra.stacks import stack_of
from projections.named_queries import queries

log = structlog.get_logger(__name__)

QUEUES = ("import", "export")
"""Of all processing work."""

STOP_SECONDS = 8.0
"""How long a stopping agent gives the work that it has in hand; after that somebody else does it again."""

RETRY_SECONDS = 1.0
TRIES = 3
"""How often work is tried that a service it needs does not answer."""

LOOK_SECONDS = 0.2
"""How soon a stop is noticed."""

CANDIDATES = 10
OWNERS_FAULT = (MediaError, Invalid, NotFound, TooLarge, Conflict)
"""What the request's owner can do something about, and is told in the error's own words."""


class Agent:
    """`queues`: what it serves. `name`: what others see; a suffix makes it unique, so a restart is another agent."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        app: Annals,
        blobs: BlobStore,
        queues: Sequence[str] = QUEUES,
        name: str | None = None,
        *,
        exchange: BlobStore | None = None,
        clickhouse: str | None = None,
    ) -> None:
        self.name = f"{name or f'{socket.gethostname()}-{os.getpid()}'}-{secrets.token_hex(4)}"
        self._database = database
        self._app = app
        exchange = exchange or open_exchange(settings)
        self._tools = Tools(settings, app, blobs, exchange, database, clickhouse)
        self._sweep = ExchangeSweep(exchange, database)
        self._queues = list(queues)
        self._lease_seconds = settings.lease_seconds
        self._heartbeat = Heartbeat(database, self.name, self._queues, self._lease_seconds)
        self._recovered = -self._lease_seconds
        self._in_hand: Request | None = None
        self._moved = threading.Event()
        self._stopping = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; then it finishes what it has in hand, or gives it back.

        Raises RuntimeError when it can't go on; what it had in hand is then another agent's.
        """
        worker = threading.Thread(target=self._serve, name="agent", daemon=True)
        listener = Listener(self._database, self._on_append)
        with self._heartbeat:
            listener.start()
            worker.start()
            while worker.is_alive() and not stop.wait(LOOK_SECONDS):
                pass
            self._stopping.set()
            self._moved.set()
            worker.join(STOP_SECONDS)
            listener.stop()
            self._give_back()
        if not stop.is_set():
            raise RuntimeError("The agent stopped working; the log says why")

    @property
    def trouble(self) -> str | None:
        """Why no work is taken up at the moment; None when it is."""
        if self._heartbeat.fresh:
            return None
        return f"The heartbeat for {', '.join(self._queues)} does not reach the database"

    def _on_append(self, nouns: frozenset[str]) -> None:
        if not nouns or "request" in nouns:
            self._moved.set()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._moved.clear()
            try:
                self._take_back_abandoned()
                self._sweep.run_if_due()
                if self._work_on_one():
                    continue
            except (Unavailable, psycopg.OperationalError) as error:
                log.warning("no work can be taken up", agent=self.name, error=str(error))
                self._stopping.wait(RETRY_SECONDS)
                continue
            except Exception:
                log.exception("the agent can't go on", agent=self.name)
                return
            self._moved.wait(self._lease_seconds / 2)

    def _take_back_abandoned(self) -> None:
        now = time.monotonic()
        if now - self._recovered < self._lease_seconds / 2:
            return
        self._recovered = now
        params = {"queues": self._queues, "lease": self._lease_seconds}
        for row in self._database.query(queries("requests")["abandoned"], params):
            log.warning("an agent went silent", agent=row["agent"], request=row["id"])
            self._expire(row["id"], row["queue"], row["agent"], row["beat_at"])

    def _give_back(self) -> None:
        request = self._in_hand
        if request is not None:
            log.warning("work is given back unfinished", agent=self.name, request=request.queued.request_id)
            with suppress(Unavailable):
                self._expire(request.queued.request_id, request.queued.queue, self.name, self._app.clock())

    def _expire(self, request_id: str, queue: str, agent: str, last_beat: datetime | None) -> None:
        with suppress(Conflict):  # another agent has noticed, too
            if self._app.requests.expire(Context(SYSTEM, "worker"), request_id, agent, last_beat):
                LEASE_EXPIRIES.labels(queue).inc()

    def _work_on_one(self) -> bool:
        """False when nothing waits."""
        if not self._heartbeat.fresh:
            raise Unavailable("The agent's heartbeat does not reach the database")
        rows = self._database.query(queries("requests")["waiting"], {"queues": self._queues, "limit": CANDIDATES})
        for row in rows:
            context = _on_behalf(row)
            try:
                self._in_hand = self._app.requests.start(context, row["id"], self.name)
            except (Conflict, NotFound):
                continue  # another agent was faster
            self._work_on(context, self._in_hand)
            return True
        return bool(rows)

    def _work_on(self, context: Context, request: Request) -> None:
        began = time.monotonic()
        for _ in range(TRIES):
            try:
                ended = self._end(context, request, self._attempt(request))
                break
            except VersionConflict as error:
                log.info("work is done again", request=request.queued.request_id, reason=error.message)
        else:
            again = Failure("What this works on was changed again and again; try it once more")
            ended = self._end(context, request, again)
        if ended:
            self._in_hand = None
        seconds = round(time.monotonic() - began, 3)
        log.info("request worked on", request=request.queued.request_id, seconds=seconds, ended=ended)

    def _attempt(self, request: Request) -> Outcome | Failure:
        queued = request.queued
        operation = f"{queued.action}:{queued.subresource or queued.target}"
        handler = HANDLERS.get(operation)
        if handler is None:
            return Failure(f"This server does not offer {operation}")
        for left in reversed(range(TRIES)):
            try:
                return handler(self._tools, request)
            except OWNERS_FAULT as error:
                return Failure(in_words(error), stack_of(error))
            except Unavailable as error:
                if left == 0:
                    return Failure(error.message, stack_of(error))
                self._stopping.wait(RETRY_SECONDS)
            except Exception as error:
                log.exception("work failed", request=queued.request_id, agent=self.name)
                return Failure("The server failed to do this; the failure has been logged.", stack_of(error))
        raise AssertionError

    def _end(self, context: Context, request: Request, found: Outcome | Failure) -> bool:
        """Records the end, for as long as it takes: the lease doesn't run out while this agent lives. False when the
        agent has to stop before that. Raises VersionConflict when what the work was made from has moved.
        """
        requests = self._app.requests
        while True:
            try:
                if isinstance(found, Outcome):
                    requests.finish(context, request, found.events, found.result, found.expect)
                else:
                    requests.fail(context, request, found.message, found.stack)
            except Conflict as error:
                if isinstance(error, VersionConflict) and error.stream != request.queued.stream:
                    raise
                log.warning("work is discarded", request=request.queued.request_id, reason=error.message)
            except Unavailable as error:
                log.warning("the end can't be recorded yet", request=request.queued.request_id, error=error.message)
                if self._stopping.wait(RETRY_SECONDS):
                    return False
                continue
            return True


def _on_behalf(row: dict[str, Any]) -> Context:
    """Whoever asked for the work acts; what was asked is the cause."""
    actor = Actor(
        row["actor_id"],
        row["actor"],
        row["actor_email"] or "",
        organization_id=row["organization_id"],
        organization=row["organization"],
    )
    return Context(actor, "worker", row["correlation_id"], f"{row['stream']}@{row['version']}")


def in_words(error: AnnalsError) -> str:
    """An error as a sentence, also one whose detail is meant for a form: `field: text`."""
    detail = error.detail if isinstance(error, Invalid) else error.message
    return "\n".join(_sentences(detail))


def _sentences(detail: Any, prefix: str = "") -> list[str]:
    if isinstance(detail, dict):
        return [text for name, value in detail.items() for text in _sentences(value, f"{prefix}{name}: ")]
    if isinstance(detail, list):
        return [text for value in detail for text in _sentences(value, prefix)]
    return [f"{prefix}{detail}"]
