"""The analysts' guide, typed word for word, on the campaign that it tells of."""

from __future__ import annotations

import os
from pathlib import Path

from clickhouse_connect.driver.client import Client

from infra.clickhouse.process import EndpointProcess

from .guide import EXAMPLE, played

GUIDE = Path(__file__).parents[3] / "docs" / "how-to" / "query-the-analytics.md"


def test_every_example_gives_what_the_guide_shows(analysts: Client, endpoint: EndpointProcess) -> None:
    page = GUIDE.read_text()
    assert [match["language"] for match in EXAMPLE.finditer(page)].count("sql") == 10
    found = played(page, analysts, endpoint.port)
    if os.environ.get("WRITE_GUIDE"):  # when a view or the campaign has changed on purpose; then look at the page
        GUIDE.write_text(found)
    assert found == GUIDE.read_text()


def test_no_example_is_shown_without_its_output() -> None:
    for match in EXAMPLE.finditer(GUIDE.read_text()):
        assert match["language"] == "grafana" or match["output"], match["text"]
