"""The queries that run or wait: each of a user's under an id of its own, and no more of one user's than are fair.

Ids are unique among those of one user, not of all as on a server: nobody can keep others from an id.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.users import Role, User

_REPLACED_SECONDS: Final = 5.0


@dataclass(eq=False)
class Query:
    """One that runs or waits in the event loop's task `task`."""

    id: str
    user: User
    task: asyncio.Task[Any]
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    killed: bool = False
    ending: bool = False
    """It has its result, or failed: too late to kill it."""

    def kill(self) -> None:
        if not self.killed and not self.ending:
            self.killed = True
            self.task.cancel()


class Queries:
    """For the event loop. `at_once`: how many queries one user of a role may have running; the others wait for a turn,
    of whom no more than `waiting` for each user.
    """

    def __init__(self, at_once: Mapping[Role, int], waiting: int) -> None:
        self._at_once, self._waiting = at_once, waiting
        self._queries: dict[tuple[str, str], Query] = {}
        self._of_user: Counter[User] = Counter()
        self._turns: dict[tuple[User, bool], asyncio.Semaphore] = {}

    @contextlib.asynccontextmanager
    async def begun(self, query_id: str, user: User, *, replace: bool) -> AsyncIterator[Query]:
        """A query of the running task, from here to the end of the block. Raises QueryFailed 216 when one runs under
        this id, 202 when the user has too many, and 394 when it was killed.
        """
        key = (user.name, query_id)
        if replace and (running := self._queries.get(key)):
            await _end_of([running], _REPLACED_SECONDS)
        if key in self._queries:
            raise QueryFailed(Code.QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING, f"Query with id = {query_id} is running")
        if self._of_user[user] >= self._at_once[user.role] + self._waiting:
            text = f"Too many simultaneous queries: {self._of_user[user]} of {user.name} run or wait"
            raise QueryFailed(Code.TOO_MANY_SIMULTANEOUS_QUERIES, text)
        task = asyncio.current_task()
        assert task is not None
        query = self._queries[key] = Query(query_id, user, task)
        self._of_user[user] += 1
        try:
            yield query
        except asyncio.CancelledError:
            if not query.killed:
                raise
            task.uncancel()
            raise QueryFailed(Code.QUERY_WAS_CANCELLED, "Query was cancelled") from None
        finally:
            self._end(query)

    def _end(self, query: Query) -> None:
        del self._queries[query.user.name, query.id]
        query.ended.set()
        self._of_user[query.user] -= 1
        if not self._of_user[query.user]:  # nobody has or awaits its turns
            del self._of_user[query.user]
            for kills in (False, True):
                self._turns.pop((query.user, kills), None)

    def turn(self, user: User, *, kills: bool) -> asyncio.Semaphore:
        """To be held while a query of this user runs. One that `kills` others does not wait for those."""
        return self._turns.setdefault((user, kills), asyncio.Semaphore(1 if kills else self._at_once[user.role]))

    async def kill(self, query_id: str, user: User, wait: float = 0.0) -> list[str]:
        """Stops the query of this user, or of anybody if it is the writer; returns the users of what it stopped, when
        that has ended or after `wait` seconds.
        """
        anybodys = user.role is Role.WRITER
        found = [each for each in self._queries.values() if each.id == query_id and (anybodys or each.user == user)]
        await _end_of(found, wait)
        return [query.user.name for query in found]


async def _end_of(queries: Iterable[Query], wait: float) -> None:
    for query in queries:
        query.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await query.ended.wait()
