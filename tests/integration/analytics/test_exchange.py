"""Rebuilt tables take the place of the old ones."""

from __future__ import annotations

from contextlib import closing

import pytest
from clickhouse_connect.driver.client import Client

from domain.event import Event
from infra.clickhouse import schema
from infra.clickhouse.client import connect
from infra.clickhouse.layout import Layout
from infra.clickhouse.process import EndpointProcess

from .given import EVENTS, ROWS
from .steps import PASSWORD, counts, insert, rows, url_of


def test_rebuilt_tables_take_the_place_of_the_old_ones_and_are_filled_from_then_on(
    clickhouse: Client, layout: Layout, endpoint: EndpointProcess
) -> None:
    fresh = layout.beside(f"{layout.database}_rebuild")
    schema.migrate(clickhouse, fresh)
    insert(clickhouse, EVENTS[:2], layout)
    insert(clickhouse, EVENTS[:6], fresh)
    before = [counts(clickhouse, each) for each in (layout, fresh)]
    schema.exchange(clickhouse, layout, fresh.database)
    assert [counts(clickhouse, each) for each in (fresh, layout)] == before
    insert(clickhouse, EVENTS[6:], layout, token="rest")
    assert counts(clickhouse, layout) == ROWS
    assert counts(clickhouse, fresh) == before[0]
    # The views' names lead to the new tables, too, and nothing depends on the old ones.
    assert rows(clickhouse, f"SELECT count() FROM {layout.database}.standing_objects") == [(2,)]
    clickhouse.command(f"DROP DATABASE {fresh.database} SYNC")
    schema.migrate(clickhouse, layout)
    late = [Event(e.originator_id, 1, e.body, e.meta, e.position + 7) for e in EVENTS]
    insert(clickhouse, late, layout, token="late")
    assert counts(clickhouse, layout) == {name: 2 * number for name, number in ROWS.items()}


def test_exchanged_tables_are_still_filled_after_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("clickhouse")
    with EndpointProcess(folder, PASSWORD) as endpoint, closing(connect(url_of(endpoint))) as client:
        schema.migrate(client)
        schema.migrate(client, Layout("cvat_rebuild"))
        schema.exchange(client, schema.DEFAULT, "cvat_rebuild")
        client.command("DROP DATABASE cvat_rebuild SYNC")
    with EndpointProcess(folder, PASSWORD) as endpoint, closing(connect(url_of(endpoint))) as client:
        insert(client, EVENTS)
        assert counts(client) == ROWS
