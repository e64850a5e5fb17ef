"""The standard output as a sink, for pipes and for a look. A batch whose end was not acknowledged is written again."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from consumers.forwarder.batch import Batch
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.sinks.rendering import json_lines


class StdoutSink:
    """JSON lines."""

    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:  # noqa: ARG002 - nobody to tell it to
        sys.stdout.buffer.write(json_lines(batch.rows))
        sys.stdout.buffer.flush()
        return ()

    def close(self) -> None:
        """Somebody else's."""
