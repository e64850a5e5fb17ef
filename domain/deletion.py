"""What was deleted, and whether it can come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from domain.errors import Conflict, NotFound
from domain.event import Body, Event
from domain.ports import Log

Deleted = TypeVar("Deleted", bound=Body)


@dataclass(frozen=True)
class Deletion(Generic[Deleted]):
    """The deletion that stands. `position`: of its event; `version`: of the stream now."""

    body: Deleted
    position: int
    version: int


def deletion(
    log: Log,
    stream: str,
    deleted: type[Deleted],
    restored: type[Body],
    purged: type[Body] | None = None,
    concerns: Callable[[Body], bool] = lambda _body: True,
) -> Deletion[Deleted]:
    """The last deletion in a stream. `concerns`: tells which events are about the thing in question, where others share
    its stream. Raises NotFound when there never was such a thing, Conflict when it is not deleted or was purged.
    """
    last: Event | None = None
    version = 0
    known = False
    for event in log.history(stream):
        version = event.originator_version
        if not concerns(event.body):
            continue
        known = True
        if isinstance(event.body, deleted):
            last = event
        elif isinstance(event.body, restored):
            last = None
        elif purged is not None and isinstance(event.body, purged):
            raise Conflict("Its data was purged: it cannot be brought back")
    if not known:
        raise NotFound
    if last is None or not isinstance(last.body, deleted):
        raise Conflict("It is not deleted")
    return Deletion(last.body, last.position, version)
