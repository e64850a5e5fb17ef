"""What the routes work with. Made once per process by the composition root."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from fastapi import Request

from api.dashboards.analytics import Analytics
from api.identities import Identities
from api.log_stream import LogStreams
from api.login_attempts import LoginAttempts
from api.media.preparing import Preparing
from api.reporting.reporter import Reporter
from api.waiting import Waiters
from domain.application import Annals
from infra.blobs import BlobStore, open_exchange
from infra.clickhouse.reader import ClickHouseReader
from infra.eventlog.pages import LogPages
from infra.media.cache import ChunkCache
from infra.postgres.answers import Answers
from infra.postgres.database import Database
from infra.settings import Settings
from projections.resources import EVENTS_VISIBLE


@dataclass
class Services:
    """`waiters` wakes requests that are held open until the log moves; `preparing` makes what they ask for once.
    `accounts`: where callers are looked up, if not in `database`: the present, when what they ask for is the past.
    `clickhouse`: where the dashboard's charts come from. `followers`: of the log that should be at work; None when
    that is not known.
    """

    settings: Settings
    database: Database
    app: Annals
    blobs: BlobStore
    chunks: ChunkCache
    accounts: Database | None = None
    clickhouse: ClickHouseReader | None = None
    followers: Sequence[str] | None = None
    waiters: Waiters = field(default_factory=Waiters)
    identities: Identities = field(default_factory=Identities)
    preparing: Preparing = field(default_factory=Preparing)

    @cached_property
    def exchange(self) -> BlobStore:
        """Files that come and go: what exports made, and what waits to be imported."""
        return open_exchange(self.settings)

    @property
    def logins(self) -> Database:
        """Where callers are looked up."""
        return self.accounts or self.database

    @cached_property
    def log_pages(self) -> LogPages:
        return LogPages(self.database, EVENTS_VISIBLE)

    @cached_property
    def log_streams(self) -> LogStreams:
        return LogStreams(self.log_pages)

    @cached_property
    def reporter(self) -> Reporter:
        """What this process tells the log of itself. A copy of the past tells nothing."""
        return Reporter(self.settings, self.app.telemetry, silent=self.accounts is not None)

    @cached_property
    def analytics(self) -> Analytics | None:
        """What the dashboard shows of the past; None where there is no ClickHouse to ask."""
        return None if self.clickhouse is None else Analytics(self.clickhouse)

    @cached_property
    def answers(self) -> Answers:
        """What was answered to requests with a key."""
        return Answers(self.database)

    @cached_property
    def login_attempts(self) -> LoginAttempts:
        limits = self.settings
        return LoginAttempts(
            limits.failed_logins_per_account, limits.failed_logins_per_address, limits.failed_logins_seconds
        )

    @cached_property
    def unknown_password_hash(self) -> str:
        """What the password of a user who does not exist is compared with."""
        return self.app.passwords.hash(secrets.token_hex(16))

    def log_moved(self, nouns: frozenset[str]) -> None:
        """What this process remembers or waits for may have changed. Called by the log's listener."""
        self.log_streams.moved()
        if not nouns or nouns & {"user", "access_token"}:
            self.identities.forget()
        if not nouns or "request" in nouns:
            self.waiters.wake()


def services(request: Request) -> Services:
    return cast(Services, request.app.state.services)
