"""Annotators who work on through every failure of the server, and what must be true of their work afterwards."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx

from .conftest import Served
from .test_killed_scenario import Work, first_task

SHAPES = 3
PATIENCE_SECONDS = 60.0
"""Of a client. No answer within it is a complaint: whatever fails, everybody is answered something."""

PAUSE_SECONDS = 0.01
"""Between two submits of one annotator."""


@dataclass
class Annotator:
    """One job, one thread. Submit number n creates SHAPES rectangles that begin at the points (n, 0), (n, 1), …"""

    url: str
    auth: tuple[str, str]
    job: int
    label: int
    insists: bool
    """Whether a submit that failed is sent again, with its `Idempotency-Key`, until it is answered."""
    sent: int = 0
    acknowledged: set[int] = field(default_factory=set)
    answers: Counter[int | str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    slowest: float = 0.0
    last: float = 0.0
    """When it was acknowledged something last (monotonic)."""

    def run(self, stop: threading.Event) -> None:
        with httpx.Client(base_url=self.url, auth=self.auth, timeout=PATIENCE_SECONDS) as http:
            while not stop.wait(PAUSE_SECONDS):
                self.sent += 1
                key = {"Idempotency-Key": str(uuid.uuid4())} if self.insists else {}
                while not self._submit(http, key) and self.insists and not self.complaints:
                    time.sleep(PAUSE_SECONDS)

    def _submit(self, http: httpx.Client, key: dict[str, str]) -> bool:
        began = time.monotonic()
        shape = {"type": "rectangle", "frame": 0, "label_id": self.label}
        shapes = [{**shape, "points": [self.sent, number, 30, 40]} for number in range(SHAPES)]
        url = f"/api/jobs/{self.job}/annotations"
        try:
            answer = http.patch(url, params={"action": "create"}, json={"shapes": shapes}, headers=key)
        except httpx.TimeoutException as error:
            self.complaints.append(f"no answer: {type(error).__name__}")
            return False
        except httpx.HTTPError as error:  # the process that was to answer is dead
            self._note(type(error).__name__, began)
            return False
        self._note(answer.status_code, began)
        if answer.status_code == 200:
            self.acknowledged.add(self.sent)
            self.last = time.monotonic()
        elif answer.status_code not in (409, 503) or "retry-after" not in answer.headers:
            self.complaints.append(f"{answer.status_code} {answer.headers} {answer.text[:200]}")
        return answer.status_code == 200

    def _note(self, what: int | str, began: float) -> None:
        self.answers[what] += 1
        self.slowest = max(self.slowest, time.monotonic() - began)


class Load:
    """An annotator for each job of a task of photos, as a context manager. Every other one insists."""

    def __init__(self, server: Served) -> None:
        jobs, label = first_task(server, Work())
        auth = ("admin", (server.data / "admin-password").read_text().strip())
        self.annotators = [Annotator(server.url, auth, job, label, job % 2 == 0) for job in jobs]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=one.run, args=(self._stop,)) for one in self.annotators]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def answers(self) -> Counter[int | str]:
        return sum((one.answers for one in self.annotators), Counter())

    @property
    def slowest(self) -> float:
        """Seconds that the slowest answer took."""
        return max(one.slowest for one in self.annotators)

    def everybody_since(self, moment: float) -> bool:
        """Whether every annotator was acknowledged something after a moment (monotonic)."""
        return all(one.last > moment for one in self.annotators)

    def check(self, server: Served) -> None:
        """What was acknowledged is there exactly once; all else is there once and whole, or not at all."""
        complaints = [complaint for one in self.annotators for complaint in one.complaints]
        assert not complaints, complaints
        with server.http() as http:
            for one in self.annotators:
                standing = _standing(http.get(f"/api/jobs/{one.job}/annotations").raise_for_status().json()["shapes"])
                whole = list(range(SHAPES))
                wrong = {number: parts for number, parts in standing.items() if parts != whole}
                assert not wrong, f"these submits are there twice, or in part: {wrong}"
                lost = one.acknowledged - standing.keys()
                assert not lost, f"these submits were acknowledged and are gone: {lost}"
                assert standing.keys() <= set(range(1, one.sent + 1))
                assert not one.insists or len(one.acknowledged) == one.sent


def _standing(shapes: list[dict[str, Any]]) -> dict[int, list[int]]:
    """Number of a submit → which of its shapes are there."""
    found: dict[int, list[int]] = defaultdict(list)
    for shape in shapes:
        found[int(shape["points"][0])].append(int(shape["points"][1]))
    return {number: sorted(parts) for number, parts in found.items()}


def seconds_until(condition: Callable[[], object], limit: float = 60.0) -> float:
    """How long it took to come true."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() < began + limit, "the condition did not come true"
        time.sleep(0.01)
    return time.monotonic() - began
