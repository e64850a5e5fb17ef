"""What happens once in a campaign: exports, mistakes and how they are undone, a script's token, somebody who leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from domain.event import SYSTEM, Context
from domain.events.access_token import AccessTokenCreated
from domain.saves import Moment
from domain.target import Target
from domain.user import digest

from .board import Board
from .office import Office
from .tape import Tape

AGENT = Context(SYSTEM, "worker")
FORMAT = "CVAT for images 1.1"
MOST_EXPORTS = 60
FAILS = 2
"""The export of this number, counted from 1, fails."""
EXPORT_EVERY = timedelta(minutes=20)
Times = Iterator[datetime]


class Incidents:
    """Through the application itself: these are few, and each must look before it decides."""

    def __init__(self, tape: Tape, board: Board, office: Office, manager: Context, random: Random) -> None:
        self._tape, self._board, self._office, self._manager, self._random = tape, board, office, manager, random
        self._exported = 0

    def export(self, mornings: list[datetime]) -> Times:
        """The tasks whose jobs are all accepted, one after the other."""
        for morning in mornings:
            yield max(morning, self._tape.now)
            while self._tape.now < morning + timedelta(hours=9) and self._exported < MOST_EXPORTS:
                ready = self._board.done[self._exported :]
                if ready:
                    yield from self._export(ready[0].place.task_id)
                yield self._tape.now + EXPORT_EVERY / max(1, len(ready))

    def happen(self, mornings: list[datetime]) -> Times:
        first, last = mornings[0], mornings[-1]
        plan: list[tuple[datetime, Callable[[], object]]] = [
            (first + timedelta(hours=1), self._make_token),
            (first + timedelta(hours=2), self._recolor),
            (first + timedelta(hours=3), self._run_trial),
            *((morning + timedelta(hours=5), self._use_token) for morning in mornings),
            (last + timedelta(hours=8), self._dismiss),
            (last + timedelta(hours=8.1), self._revoke_token),
        ]
        for time, act in sorted(plan, key=lambda entry: entry[0]):
            yield time
            act()

    def err(self, morning: datetime) -> Times:
        """Mistakes of that day, with what is done by then, and how they are undone; none when nothing is done."""
        yield morning + timedelta(hours=6)
        if not self._board.done:
            return
        job = self._board.done[0].place
        with self._tape.really() as app:
            version = sum(1 for _ in app.history(f"annotations-{job.job_id}"))
            app.annotations.clear(self._manager, job.job_id)
        yield self._tape.now + timedelta(minutes=12)
        with self._tape.really() as app:
            app.annotation_restoration.restore(self._manager, job.job_id, Moment(version))
        yield self._tape.now + timedelta(minutes=50)
        with self._tape.really() as app:
            app.tasks.delete(self._manager, job.task_id)
        yield self._tape.now + timedelta(minutes=20)
        with self._tape.really() as app:
            app.tasks.restore(self._manager, job.task_id)

    def _export(self, task_id: int) -> Times:
        self._exported += 1
        with self._tape.really() as app:
            key = app.exports.queue(self._manager, Target("task", task_id=task_id), FORMAT, save_images=False)
        yield self._tape.now + timedelta(milliseconds=self._random.randint(50, 900))
        with self._tape.really() as app:
            request = app.requests.start(AGENT, key, "agent-export-0")
        yield self._tape.now + timedelta(seconds=self._random.lognormvariate(1.0, 0.5))
        with self._tape.really() as app:
            if self._exported == FAILS:
                app.requests.fail(AGENT, request, "There is no space left on the device")
            else:
                app.requests.finish(AGENT, request, [], {"sha256": f"{task_id:064x}", "filename": f"{task_id}.zip"})

    def _make_token(self) -> None:
        """As it is: the application would draw its value by chance."""
        self._token_id, owner = self._tape.ids.one("access_token"), self._manager.actor.user_id
        assert owner is not None
        made = AccessTokenCreated(self._token_id, owner, "nightly export", False, None, digest("a value"))
        self._tape.record(self._manager, [made])

    def _use_token(self) -> None:
        with self._tape.really() as app:
            app.access_tokens.note_use(self._manager, self._token_id)

    def _revoke_token(self) -> None:
        with self._tape.really() as app:
            app.access_tokens.revoke(self._manager, self._token_id)

    def _recolor(self) -> None:
        with self._tape.really() as app:
            app.labels.update(self._manager, min(self._tape.summary.labels), {"color": "#ff8800"})

    def _run_trial(self) -> None:
        """A task that was only a try, and goes for good."""
        task_id = self._office.open_trial()
        with self._tape.really() as app:
            app.tasks.delete(self._manager, task_id)

    def _dismiss(self) -> None:
        """The intern, who never did anything."""
        intern = next(user for user, name in self._tape.summary.people.items() if name == "intern")
        with self._tape.really() as app:
            app.users.update(self._manager, intern, role="worker")
            app.users.delete(self._manager, intern)
