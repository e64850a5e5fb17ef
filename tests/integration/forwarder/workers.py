"""Processes that help a forwarder, watched: what they got to do, and what becomes of them."""

from __future__ import annotations

from concurrent.futures import Future

import psutil
import pytest

from consumers.forwarder.batch import Made
from consumers.forwarder.intake import intake, workers
from consumers.forwarder.intake.workers import COMMAND, Workers
from consumers.forwarder.sources import portions
from consumers.forwarder.sources.portions import Portion

from ...waiting import SECONDS

BACKLOG, FAR, PORTION = 6_000, 500, 400

Portions = list[Portion]


@pytest.fixture
def handed_out(monkeypatch: pytest.MonkeyPatch) -> Portions:
    """What workers got to do. They are called soon, and get little at once."""
    monkeypatch.setattr(intake, "FAR_BEHIND", FAR)
    monkeypatch.setattr(intake, "NEARLY_THERE", 1)
    monkeypatch.setattr(portions, "EVENTS", PORTION)
    monkeypatch.setattr(intake, "PATIENCE", SECONDS)
    monkeypatch.setattr(workers, "START_SECONDS", SECONDS)
    handed_out: Portions = []
    shape = Workers.shape

    def noted(self: Workers, portion: Portion) -> Future[Made]:
        handed_out.append(portion)
        return shape(self, portion)

    monkeypatch.setattr(Workers, "shape", noted)
    return handed_out


def positions(handed_out: Portions) -> list[int]:
    """Of all events in it, in order."""
    return [delivery.position for portion in handed_out for delivery in portion.deliveries()]


def workers_now() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if _is_worker(child)]


def _is_worker(process: psutil.Process) -> bool:
    try:
        return COMMAND[-1] in process.cmdline()
    except psutil.Error:  # it has ended
        return False
