"""What is taken from a source and not decoded yet, in parts that are good to hand to another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from consumers.forwarder.sources.delivery import Delivery

EVENTS, BYTES = 1_000, 4 * 1024 * 1024
"""The most, unpacked, that is in one part unless a single piece has more: there it is in memory several times over, as
objects.
"""

Piece = TypeVar("Piece")


class Portion(Protocol):
    """A run of one partition: `after` < offset <= `until`. It is pickled, for processes that need not know where it is
    from.
    """

    @property
    def partition(self) -> str: ...

    @property
    def after(self) -> int: ...

    @property
    def until(self) -> int: ...

    @property
    def bound(self) -> bool:
        """Whether a batch was announced that ends behind `after`: it can't be cut by who doesn't know where."""

    def deliveries(self) -> Iterator[Delivery]:
        """In order, decoded one at a time."""


def portioned(pieces: Sequence[Piece], weigh: Callable[[Piece], tuple[int, int]]) -> Iterator[Sequence[Piece]]:
    """Parts of what was taken. `weigh`: how many events a piece has, and how many bytes, unpacked."""
    start = events = size = 0
    for number, piece in enumerate(pieces):
        more_events, more_bytes = weigh(piece)
        if number > start and (events + more_events > EVENTS or size + more_bytes > BYTES):
            yield pieces[start:number]
            start, events, size = number, 0, 0
        events, size = events + more_events, size + more_bytes
    if pieces:
        yield pieces[start:]
