"""Group commit: saves that wait together are written in one transaction.

Whoever finds no one writing becomes the leader: it takes all the saves that wait and commits them; the others find
theirs done. A lone save is written at once, by its own thread, without a hand-over.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.errors import Unavailable
from infra.eventlog.mapper import PendingEvent

MAX_BATCH_EVENTS = 2_000


@dataclass(eq=False, slots=True)
class Save:
    """The events of one save, all or nothing, and what became of it. `expect`: stream → version that it must have."""

    events: Sequence[PendingEvent]
    expect: Mapping[str, int] = field(default_factory=dict)
    positions: list[int] = field(default_factory=list)
    error: BaseException | None = None
    done: bool = False

    @property
    def streams(self) -> set[str]:
        """Those it writes to, and those whose versions it expects."""
        return {str(event.originator_id) for event in self.events} | self.expect.keys()


class GroupCommitter:
    """`write` commits a batch in one transaction and fills in `positions` or `error` of each save. If it raises,
    nothing of the batch was written; after Unavailable nobody knows.
    """

    def __init__(self, write: Callable[[Sequence[Save]], None]) -> None:
        self._write = write
        self._waiting: deque[Save] = deque()
        self._leader = threading.Lock()

    def commit(self, save: Save) -> None:
        """Returns when the save is durable. Raises what stopped it; other saves of the batch are not affected."""
        self._waiting.append(save)
        with self._leader:
            # More than once: a batch that is full before it reaches the leader's own save leaves that one waiting.
            while not save.done:
                self._lead()
        if save.error is not None:
            raise save.error

    def _lead(self) -> None:
        batch = self._take()
        try:
            self._write(batch)
        except Unavailable as error:
            # Nobody knows whether the batch was committed: to write it again could record it twice.
            _fail(batch, error.message)
        except Exception as error:
            self._write_one_by_one(batch, error)
        except BaseException:  # the leader's thread is told to stop; the others' are not
            _fail(batch, "interrupted")
            raise
        finally:
            for save in batch:
                save.done = True

    def _take(self) -> list[Save]:
        batch = [self._waiting.popleft()]
        size = len(batch[0].events)
        while self._waiting and size + len(self._waiting[0].events) <= MAX_BATCH_EVENTS:
            batch.append(self._waiting.popleft())
            size += len(batch[-1].events)
        return batch

    def _write_one_by_one(self, batch: Sequence[Save], error: Exception) -> None:
        """One save that the database refuses must not take the others with it."""
        if len(batch) == 1:
            batch[0].error = error
            return
        for number, save in enumerate(batch):
            try:
                self._write([save])
            except Unavailable as gone:
                _fail(batch[number:], gone.message)
                return
            except Exception as alone:
                save.error = alone


def _fail(batch: Sequence[Save], message: str) -> None:
    for save in batch:
        save.error = Unavailable(message)
