"""What a sink is to the forwarder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from consumers.forwarder.batch import Batch
from consumers.forwarder.dead_letters import DeadLetter


class Sink(Protocol):
    """Used by one thread at a time."""

    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:
        """Returns when the sink has the rows durably, and with those events that it will never take. The same batch
        under a token that it has seen changes nothing. Raises whatever may pass: then the batch is sent again.
        """

    def close(self) -> None: ...
