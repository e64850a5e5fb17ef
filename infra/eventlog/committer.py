"""Group commit: saves that wait together are written in one transaction.

Whoever finds no one writing becomes the leader: it takes all the saves that wait and commits them. Then it hands the
lead to the save that has waited longest. A lone save is written at once, by its own thread, without a hand-over.
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
    leads: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)
    """Held until the save is done or its thread is to lead."""

    @property
    def streams(self) -> set[str]:
        """Those it writes to, and those whose versions it expects."""
        return {str(event.originator_id) for event in self.events} | self.expect.keys()


Write = Callable[[Sequence[Save], Callable[[], None]], None]


class GroupCommitter:
    """`write(batch, waiting)` commits a batch in one transaction and fills in `positions` or `error` of each save. If
    it raises, nothing of the batch was written; after Unavailable nobody knows. It calls `waiting` when it has sent
    everything and only waits.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._waiting: deque[Save] = deque()
        self._mutex = threading.Lock()
        self._led = False
        self._finished: list[Save] = []

    def commit(self, save: Save) -> None:
        """Returns when the save is durable. Raises what stopped it; other saves of the batch are not affected."""
        save.turn.acquire()
        with self._mutex:
            self._waiting.append(save)
            save.leads, self._led = not self._led, True
        if not save.leads:
            self._wait(save)
        if not save.done:
            self._lead(save)
        if save.error is not None:
            raise save.error

    def _wait(self, save: Save) -> None:
        try:
            save.turn.acquire()
        except BaseException:  # the thread is told to stop; nobody may wait for it
            with self._mutex:
                if save in self._waiting:
                    self._waiting.remove(save)
            if save.leads:
                self._hand_over()
            raise

    def _lead(self, own: Save) -> None:
        try:
            while not own.done:
                batch = self._take()
                try:
                    self._write_together(batch)
                finally:
                    self._wake()
                    self._finished = batch
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        with self._mutex:
            following = self._waiting[0] if self._waiting else None
            self._led = following is not None
            if following is not None:
                following.leads = True
        if following is None:
            self._wake()
        else:
            following.turn.release()

    def _wake(self) -> None:
        """Lets go the threads of the batch before. Not before the next batch is on its way: they would take turns with
        its leader at the interpreter's lock, while PostgreSQL has nothing to do.
        """
        finished, self._finished = self._finished, []
        for save in finished:
            if not save.leads:
                save.turn.release()

    def _write_together(self, batch: Sequence[Save]) -> None:
        try:
            self._write(batch, self._wake)
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
                self._write([save], self._wake)
            except Unavailable as gone:
                _fail(batch[number:], gone.message)
                return
            except Exception as alone:
                save.error = alone


def _fail(batch: Sequence[Save], message: str) -> None:
    for save in batch:
        save.error = Unavailable(message)
