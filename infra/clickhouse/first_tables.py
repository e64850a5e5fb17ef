"""The tables of an engine that has none yet: who is let in finds them."""

from __future__ import annotations

import logging

from infra.clickhouse.engine import Connection
from infra.clickhouse.errors import QueryFailed
from infra.clickhouse.layout import Layout

logger = logging.getLogger(__name__)


def make_first_tables(connection: Connection, layout: Layout) -> None:
    """At the first start, before anybody can ask. Whatever is there, or fails here, is left to the forwarder, which
    brings tables up to date.
    """
    there = connection.value(
        "SELECT count() FROM system.tables WHERE database = {name:String}", {"name": layout.database}
    )
    if there != "0":
        return
    # Imported here: it brings the driver along.
    from infra.clickhouse.schema import statements

    try:
        for statement in statements(layout):
            connection.run(statement)
    except QueryFailed as error:
        logger.warning("The tables could not be made at once, and are left to the forwarder: %s", error.message)
