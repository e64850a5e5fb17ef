"""How the relay is, for those who ask from within its process. How far behind it is tells `status.lag` of the forwarder
with its name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from infra.metrics import relay as metrics


@dataclass(frozen=True)
class Snapshot:
    """`state`: starting, waiting (another relay is at work), relaying, failing or stopped. `position`: up to where
    Kafka has acknowledged. Counts are since the process started.
    """

    state: str = "starting"
    position: int = 0
    events: int = 0
    transactions: int = 0
    failures: int = 0
    last_error: str | None = None


class Status:
    """What the relay's thread notes and others read."""

    def __init__(self) -> None:
        self._now = Snapshot()

    def snapshot(self) -> Snapshot:
        return self._now

    def note(self, **changes: Any) -> None:
        self._now = replace(self._now, **changes)

    def acknowledged(self, position: int, events: int) -> None:
        now = self._now
        counts = {"events": now.events + events, "transactions": now.transactions + 1}
        self.note(state="relaying", position=position, last_error=None, **counts)
        metrics.EVENTS.inc(events)

    def failed(self, error: BaseException) -> None:
        self.note(state="failing", failures=self._now.failures + 1, last_error=f"{type(error).__name__}: {error}")
        metrics.ERRORS.inc()
