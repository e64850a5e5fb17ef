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
            _write(content)
        except BrokenPipeError:
            raise NobodyReads from None
        return dead

    def close(self) -> None:
        """Somebody else's."""


def _write(content: bytes) -> None:
    """Past Python's own buffer: a process can't end while somebody waits in there for a reader."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(sys.stdout.fileno(), rest) :]
