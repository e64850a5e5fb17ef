"""Who may stay connected: the writer always, others as far as there is room.

Whoever connects is a stranger until the head of a request has told the credentials. Places do not run out by clients
that only wait, or let us wait: one of these is closed for one that comes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.limits import Limits
from infra.clickhouse.users import ANYBODY, Role, User


class Peer(Protocol):
    """The other end of a connection."""

    @property
    def address(self) -> str: ...

    @property
    def busy(self) -> bool:
        """A request of it is here, whole, and is not answered yet."""

    def drop(self) -> None:
        """Closes the connection at once."""


class Connections:
    """For the event loop. Strangers and guests are counted apart, and those of the writer not at all."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._strangers: dict[Peer, None] = {}
        """The oldest first."""
        self._guests: dict[Peer, bool] = {}
        """Whether they came with a password; who has asked for something last is the last."""
        self._writers: set[Peer] = set()

    def arrived(self, peer: Peer) -> None:
        """A connection of which nothing is known."""
        self._strangers[peer] = None
        if len(self._strangers) > self._limits.strangers:
            self._drop(min(self._strangers, key=_by_crowd(self._strangers)))

    def left(self, peer: Peer) -> None:
        self._strangers.pop(peer, None)
        self._guests.pop(peer, None)
        self._writers.discard(peer)

    def admit(self, peer: Peer, user: User) -> None:
        """The head of a request has shown who comes; who has shown a password need not do so again, as for a ping.
        Raises QueryFailed 202 when there is no place for a guest.
        """
        if user.role is Role.WRITER or peer in self._writers:
            self.left(peer)
            self._writers.add(peer)
            return
        if peer not in self._guests and not self._make_room(peer.address):
            raise QueryFailed(Code.TOO_MANY_SIMULTANEOUS_QUERIES, "Too many connections")
        self._strangers.pop(peer, None)
        self._guests[peer] = self._guests.pop(peer, False) or user != ANYBODY

    def _make_room(self, address: str) -> bool:
        """Whether there is a place for one more guest from there, if need be that of one who only waits: first those
        without a password, of the address with the most, and who has waited longest.
        """
        crowd = [guest for guest in self._guests if guest.address == address]
        if len(crowd) < self._limits.connections_of_address:
            crowd = list(self._guests)
            if len(crowd) < self._limits.connections:
                return True
        waiting = [guest for guest in crowd if not guest.busy]
        if waiting:
            most = _by_crowd(crowd)
            self._drop(min(waiting, key=lambda guest: (self._guests[guest], most(guest))))
        return bool(waiting)

    def _drop(self, peer: Peer) -> None:
        self.left(peer)
        peer.drop()


def _by_crowd(peers: Iterable[Peer]) -> Callable[[Peer], int]:
    """A key by which those from the address that most come from are the least."""
    most = Counter(peer.address for peer in peers)
    return lambda peer: -most[peer.address]
