"""How often somebody may give a wrong password: per account and per address, in a sliding window.

Each API process counts for itself, so that a guesser gets at most the limit times the number of processes. Nothing of
it outlives the process.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from domain.errors import TooMany

MAX_KEYS = 10_000
"""Accounts or addresses that are counted at a time; beyond that, those that failed longest ago are forgotten."""

TURNS = 64


class SlidingWindow:
    """At most `limit` times in any `seconds`, for each key. Memory: at most `MAX_KEYS * limit` numbers."""

    def __init__(self, limit: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._seconds, self._clock = limit, seconds, clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Seconds until it may happen again; 0 when it may now."""
        with self._lock:
            times = self._times.get(key)
            if times is None or len(times) < self._limit:
                return 0.0
            return max(0.0, times[0] + self._seconds - self._clock())

    def count(self, key: str) -> None:
        """It happened."""
        with self._lock:
            self._times.setdefault(key, deque(maxlen=self._limit)).append(self._clock())
            self._times.move_to_end(key)
            self._forget_the_oldest()

    def clear(self, key: str) -> None:
        with self._lock:
            self._times.pop(key, None)

    def __len__(self) -> int:
        return len(self._times)

    def _forget_the_oldest(self) -> None:
        """The first key is the one that happened longest ago."""
        past = self._clock() - self._seconds
        while self._times and (len(self._times) > MAX_KEYS or next(iter(self._times.values()))[-1] <= past):
            self._times.popitem(last=False)


class LoginAttempts:
    """Wrong passwords, by account and by address."""

    def __init__(
        self, per_account: int, per_address: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._accounts = SlidingWindow(per_account, seconds, clock)
        self._addresses = SlidingWindow(per_address, seconds, clock)
        self._turns = [threading.Lock() for _ in range(TURNS)]

    @contextmanager
    def turn(self, account: str, address: str) -> Iterator[None]:
        """Passwords for one account are checked one after the other: otherwise many guesses that come at once would all
        be let in before the first of them is counted. Raises TooMany.
        """
        with self._turns[hash(account) % TURNS]:
            self._require(self._accounts.wait(account), "for this account")
            self.require_address(address)
            yield

    def require_address(self, address: str) -> None:
        """Raises TooMany."""
        self._require(self._addresses.wait(address), "from your address")

    def failed(self, account: str, address: str) -> None:
        self._accounts.count(account)
        self._addresses.count(address)

    def succeeded(self, account: str) -> None:
        """The account's failures are forgotten. Those of the address are not: who guesses may have an account too."""
        self._accounts.clear(account)

    def count_address(self, address: str) -> None:
        """Something else that nobody may do without end."""
        self._addresses.count(address)

    @staticmethod
    def _require(seconds: float, whose: str) -> None:
        if seconds > 0:
            wait = ceil(seconds)
            raise TooMany(f"Too many failed logins {whose}: try again in {wait} seconds", retry_after=wait)


def network(address: str) -> str:
    """What is counted as one address: of IPv6 the /64, of which one household has all."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ip_network((parsed, 64), strict=False))
    return str(parsed)
