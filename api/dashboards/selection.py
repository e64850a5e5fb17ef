"""Which time, project and task a chart is about."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from domain.errors import Invalid

MINUTE, HOUR, DAY = 60, 3_600, 86_400
STEPS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, DAY)
POINTS = 180
"""At most so many in a series: about as many as can be told apart on a screen."""


@dataclass(frozen=True)
class Selection:
    """From `first` to before `until`, in seconds since 1970, both whole `step`s. `project`, `task`: 0 for any."""

    first: int
    until: int
    step: int
    project: int
    task: int

    @property
    def times(self) -> range:
        """When the steps begin."""
        return range(self.first, self.until, self.step)

    @property
    def parameters(self) -> dict[str, int]:
        """As the statements name them."""
        return asdict(self)


def between(since: int, until: int, project: int, task: int) -> Selection:
    """Widened to whole steps, so that all who look within one step ask the same. Raises Invalid."""
    until = min(until, _now())  # nothing has happened after
    if since >= until:
        raise Invalid({"from": ["Choose a time that is past, and before `to`."]})
    step = next((step for step in STEPS if until - since <= step * (POINTS - 2)), None)
    if step is None:
        step = _up(until - since, DAY * (POINTS - 2)) // (POINTS - 2)
    return Selection(since // step * step, _up(until, step), step, project, task)


def everything(project: int, task: int) -> Selection:
    """All that has happened, as one step."""
    until = _up(_now(), DAY)
    return Selection(0, until, until, project, task)


def _now() -> int:
    """The next full second."""
    return int(time.time()) + 1


def _up(number: int, step: int) -> int:
    return -(-number // step) * step
