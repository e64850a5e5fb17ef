"""What charts are made of, asked of ClickHouse at most every few seconds, however many people look."""

from __future__ import annotations

import threading
import time

from api.dashboards.charts import CAMPAIGN, OPERATIONS
from api.dashboards.selection import Selection, everything
from api.dashboards.statements import statements
from domain.errors import NotFound
from infra.clickhouse.reader import ClickHouseReader, Found

REMEMBER_SECONDS = 5.0
REMEMBERED = 500


class Analytics:
    """Of one process."""

    def __init__(self, clickhouse: ClickHouseReader) -> None:
        self._clickhouse = clickhouse
        self._found: dict[tuple[str, Selection], tuple[float, Found]] = {}
        self._lock = threading.Lock()

    def chart(self, name: str, selection: Selection) -> Found:
        """Raises NotFound: there is no such chart; Unavailable."""
        key = (name, selection)
        remembered = self._found.get(key)
        if remembered is not None and remembered[0] > time.monotonic():
            return remembered[1]
        found = self._ask(name, selection)
        with self._lock:
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[key] = (time.monotonic() + REMEMBER_SECONDS, found)
        return found

    def first_event(self, project: int, task: int) -> int:
        """When it happened, in seconds since 1970. Raises Unavailable."""
        ((first, _, _),) = self.chart("span", everything(project, task)).rows
        return int(first)

    def _ask(self, name: str, selection: Selection) -> Found:
        dashboard, shapes = ("campaign", CAMPAIGN) if name in CAMPAIGN else ("operations", OPERATIONS)
        if name not in shapes:
            raise NotFound
        found = self._clickhouse.ask(statements(dashboard)[name], selection.parameters)
        return shapes[name](found, selection)
