"""How questions to ClickHouse are put together, and their answers become charts."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dashboards import analytics
from api.dashboards.analytics import Analytics
from api.dashboards.charts import CAMPAIGN, OPERATIONS, lines, running
from api.dashboards.selection import DAY, POINTS, STEPS, Selection, between
from api.dashboards.statements import statements
from domain.errors import Invalid, NotFound
from infra.clickhouse.reader import ClickHouseReader, Found

HOUR = Selection(0, 240, 60, 0, 0)
GROWN = Found(["time", "series", "value"], [[0, "b", 2], [120, "a", 1], [120, "b", -1]])


def test_lines_have_a_value_at_each_step() -> None:
    assert lines(GROWN, HOUR) == Found(["time", "a", "b"], [[0, 0, 2], [60, 0, 0], [120, 1, -1], [180, 0, 0]])


def test_growths_come_to_what_there_is() -> None:
    assert running(GROWN, HOUR) == Found(["time", "a", "b"], [[0, 0, 2], [60, 0, 2], [120, 1, 1], [180, 1, 1]])


@pytest.mark.parametrize("shape", [lines, running])
def test_nothing_found_is_no_line(shape: Any) -> None:
    assert shape(Found(["time", "series", "value"], []), HOUR) == Found(["time"], [[0], [60], [120], [180]])


PAST = st.integers(0, 1_790_000_000)


@given(st.lists(PAST, min_size=2, max_size=2, unique=True).map(sorted))
def test_a_selection_is_whole_steps_around_what_was_asked_for(asked: list[int]) -> None:
    since, until = asked
    chosen = between(since, until, 3, 4)
    assert chosen.first <= since < chosen.first + chosen.step
    assert chosen.until - chosen.step < until <= chosen.until
    assert chosen.first % chosen.step == chosen.until % chosen.step == 0
    assert chosen.step in STEPS or chosen.step % DAY == 0
    assert len(chosen.times) <= POINTS
    assert (chosen.project, chosen.task) == (3, 4)


def test_the_future_is_left_out() -> None:
    now = int(time.time())
    chosen = between(now - 600, now + 10**9, 0, 0)
    assert now < chosen.until <= now + 2 * chosen.step
    with pytest.raises(Invalid):
        between(now + 60, now + 120, 0, 0)


@pytest.mark.parametrize(("dashboard", "charts"), [("campaign", CAMPAIGN), ("operations", OPERATIONS)])
def test_each_chart_has_a_statement_and_each_statement_a_chart(dashboard: str, charts: Mapping[str, object]) -> None:
    found = statements(dashboard)
    assert found.keys() == charts.keys()
    for statement in found.values():
        assert "${" not in statement
        assert set(re.findall(r"{(\w+):UInt(?:32|64)}", statement)) <= HOUR.parameters.keys()


class Counting(ClickHouseReader):
    """Tells how often it was asked."""

    asked = 0

    def ask(self, statement: str, parameters: Mapping[str, Any]) -> Found:
        self.asked += 1
        return Found(["n"], [[self.asked]])


def test_an_answer_is_remembered_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Counting("http://nowhere")
    charts = Analytics(reader)
    assert charts.chart("people", HOUR).rows == charts.chart("people", HOUR).rows == [[1]]
    assert charts.chart("labels", HOUR).rows == [[2]]
    monkeypatch.setattr(analytics, "REMEMBER_SECONDS", -1.0)
    another = Analytics(reader)
    assert [another.chart("people", HOUR).rows for _ in range(2)] == [[[3]], [[4]]]


def test_so_many_answers_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analytics, "REMEMBERED", 2)
    reader = Counting("http://nowhere")
    charts = Analytics(reader)
    for name in ("people", "labels", "stages", "people"):
        charts.chart(name, HOUR)
    assert reader.asked == 4


def test_a_chart_that_is_none() -> None:
    with pytest.raises(NotFound):
        Analytics(Counting("http://nowhere")).chart("known", HOUR)
