"""Domain tests read: given these events, when this command, then these events (or this error). No database in them."""

from __future__ import annotations

import pytest

from . import given
from .memory_log import MemoryLog


@pytest.fixture
def log() -> MemoryLog:
    """An empty log."""
    return MemoryLog()


@pytest.fixture
def log_with_task() -> MemoryLog:
    """Ann's task 7 with the label cat and jobs 5 (frames 0..9) and 6 (frames 8..19)."""
    log = MemoryLog()
    jobs = (given.job(5, frames=(0, 9)), given.job(6, frames=(8, 19)))
    log.given(given.user(), given.task(), given.labels(), *jobs)
    return log
