"""Who has to make room on the embedded ClickHouse, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from infra.clickhouse.connections import Connections
from infra.clickhouse.errors import QueryFailed
from infra.clickhouse.limits import Limits
from infra.clickhouse.users import ANYBODY, Role, User

LIMITS = Limits(connections=6, connections_of_address=4, strangers=3)
ANN = User("ann", Role.READER)
WRITER = User("forwarder", Role.WRITER)


@dataclass(eq=False)
class Client:
    address: str = "here"
    busy: bool = False
    dropped: bool = False

    def drop(self) -> None:
        assert not self.dropped
        self.dropped = True


def guests(connections: Connections, number: int, address: str = "here", *, busy: bool = False) -> list[Client]:
    """Readers without a password."""
    clients = [Client(address, busy) for _ in range(number)]
    for client in clients:
        connections.arrived(client)
        connections.admit(client, ANYBODY)
    return clients


def dropped(clients: list[Client]) -> list[bool]:
    return [client.dropped for client in clients]


def test_the_oldest_stranger_makes_room_for_the_next() -> None:
    connections = Connections(LIMITS)
    clients = [Client() for _ in range(5)]
    for client in clients:
        connections.arrived(client)
    assert dropped(clients) == [True, True, False, False, False]


def test_strangers_make_room_where_most_come_from() -> None:
    connections = Connections(LIMITS)
    first, *crowd = [Client("elsewhere"), *(Client() for _ in range(8))]
    for client in (first, *crowd):
        connections.arrived(client)
    assert not first.dropped
    assert dropped(crowd) == [True] * 6 + [False] * 2


def test_guests_of_an_address_make_room_for_each_other_who_has_waited_longest_first() -> None:
    connections = Connections(LIMITS)
    elsewhere, here = guests(connections, 1, "elsewhere"), guests(connections, 4)
    connections.admit(here[0], ANYBODY)  # it asks again
    guests(connections, 1)
    assert dropped(elsewhere + here) == [False, False, True, False, False]


def test_guests_make_room_where_most_come_from_when_all_places_are_taken() -> None:
    connections = Connections(LIMITS)
    elsewhere, here = guests(connections, 2, "elsewhere"), guests(connections, 4)
    guests(connections, 1, "third")
    assert dropped(elsewhere + here) == [False, False, True, False, False, False]


def test_who_is_being_answered_is_left_alone_and_so_is_who_came_with_a_password() -> None:
    connections = Connections(LIMITS)
    (ann,) = guests(connections, 1)
    connections.admit(ann, ANN)
    connections.admit(ann, ANYBODY)  # a ping
    busy, waiting = guests(connections, 2, busy=True), guests(connections, 1)
    guests(connections, 1, busy=True)
    assert dropped([ann, *busy, *waiting]) == [False, False, False, True]
    guests(connections, 1, busy=True)
    assert ann.dropped, "when nobody else waits"


def test_when_all_are_being_answered_a_guest_is_refused_and_the_writer_is_not() -> None:
    connections = Connections(LIMITS)
    busy = guests(connections, 4, busy=True) + guests(connections, 2, "elsewhere", busy=True)
    writer, guest = Client("elsewhere"), Client("elsewhere")
    for client in (writer, guest):
        connections.arrived(client)
    connections.admit(writer, WRITER)
    with pytest.raises(QueryFailed, match="Too many connections"):
        connections.admit(guest, ANN)
    assert not any(dropped(busy))
    connections.left(busy[0])
    connections.admit(guest, ANN)


def test_the_writer_is_never_dropped_while_it_waits() -> None:
    connections = Connections(LIMITS)
    writers = [Client() for _ in range(20)]
    for writer in writers:
        connections.arrived(writer)
        connections.admit(writer, WRITER)
        connections.admit(writer, ANYBODY)  # a ping
    guests(connections, 20)
    for _ in range(20):
        connections.arrived(Client())
    assert not any(dropped(writers))
