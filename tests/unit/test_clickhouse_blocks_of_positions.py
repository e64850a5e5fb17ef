"""A statement about many positions is run block by block, and in halves where a block takes too much memory."""

from __future__ import annotations

import pytest

from infra.clickhouse import schema
from infra.clickhouse.client import ClickHouseRefused

MEMORY = 241


def test_a_block_that_takes_too_much_memory_is_halved_until_it_does_not() -> None:
    tried: list[tuple[int, int]] = []

    def run(first: int, last: int) -> int:
        tried.append((first, last))
        if last - first > 300 and first < 1_000:
            raise ClickHouseRefused("too much", MEMORY)
        return last - first

    done = schema.in_blocks(run, 10, 600_010)
    assert sum(done) == 600_000
    assert tried[0] == (500_010, 600_010)
    assert (10, 254) in tried


@pytest.mark.parametrize(("code", "tries"), [(47, 1), (MEMORY, 3)])
def test_what_halving_does_not_help_is_raised(code: int, tries: int) -> None:
    tried = []

    def run(first: int, last: int) -> None:
        tried.append((first, last))
        raise ClickHouseRefused("never", code)

    with pytest.raises(ClickHouseRefused):
        schema.in_blocks(run, 0, 4)
    assert len(tried) == tries
