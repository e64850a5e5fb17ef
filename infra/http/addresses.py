"""To whom the server connects when a user says so: public addresses only, unless its owner allows all."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from domain.errors import AnnalsError

CONNECT_SECONDS = 10.0
_MOST_TRIED = 4  # of a host's addresses
_TRANSLATED = IPv6Address("64:ff9b::")  # the last four bytes of this network's addresses are an IPv4 address


class Unreachable(AnnalsError):
    """The address can't be reached."""


def connect(host: str, port: int, *, allow_private: bool) -> socket.socket:
    """A connection to a host. Its name is resolved once, and what that gives is checked: another answer a moment later
    changes nothing. Raises Unreachable.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(f"{host} is not known") from None
    if not allow_private and not all(is_public(ip_address(address[0])) for *_, address in found):
        raise Unreachable(f"{host} is an address of a private network, which this server does not open")
    return _first_that_answers(host, found)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody on the internet could reach it, also when it stands for another address."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if inner is None and int(address) >> 32 == int(_TRANSLATED) >> 32:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _first_that_answers(host: str, found: list[Any]) -> socket.socket:
    for family, kind, protocol, _, address in found[:_MOST_TRIED]:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(CONNECT_SECONDS)
        try:
            connection.connect(address)
        except OSError:
            connection.close()
            continue
        return connection
    raise Unreachable(f"{host} does not answer")
