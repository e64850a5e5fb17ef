"""The standard output as a sink, for pipes and for a look. A batch whose end was not acknowledged is written again."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from consumers.forwarder.batch import Batch
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.sinks.refusals import rendered
from consumers.forwarder.sinks.rendering import json_lines


class NobodyReads(SystemExit):
    """Whoever read the standard output has closed it, as `head` does: there is nothing to try again."""


class StdoutSink:
    """JSON lines."""

    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:  # noqa: ARG002 - nobody to tell it to
        content, dead = rendered(batch.rows, json_lines)
        try:
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            # What is left in the buffer would fail once more when the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise NobodyReads from None
        return dead

    def close(self) -> None:
        """Somebody else's."""
