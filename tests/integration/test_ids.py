"""Ids are handed out once, whoever asks, in however many processes."""

from __future__ import annotations

import threading

from cli.bootstrap import System, connect
from infra.ids import BLOCK, SequenceIds


def test_ids_of_annotations_are_handed_out_once_by_all_processes(system: System, database_url: str) -> None:
    other = connect(database_url, 4)
    everybody = [system.app.ids, other.app.ids]
    handed_out: list[list[int]] = []

    def take(worker: int) -> None:
        ids = everybody[worker % 2]
        handed_out.extend(list(ids.annotations(1 + (number * 37 + worker) % 150)) for number in range(30))

    threads = [threading.Thread(target=take, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = [object_id for ids in handed_out for object_id in ids]
    assert len(everything) == len(set(everything)) > 10 * BLOCK
    assert all(ids == sorted(ids) for ids in handed_out)
    assert max(everything) <= system.app.ids.highest_annotation() < max(everything) + 2 * BLOCK
    other.close()


def test_a_small_drawing_costs_no_round_trip(system: System) -> None:
    ids = system.app.ids
    assert isinstance(ids, SequenceIds)
    first = next(ids.annotations(1))
    before = ids.highest_annotation()
    assert list(ids.annotations(BLOCK - 1)) == list(range(first + 1, first + BLOCK))
    assert ids.highest_annotation() == before
    assert next(ids.annotations(1)) > before


def test_many_ids_at_once_ascend_and_leave_the_rest_of_a_block_to_others(system: System) -> None:
    one, two = SequenceIds(system.database), SequenceIds(system.database)
    first, many, after = list(one.annotations(10)), list(two.annotations(3 * BLOCK + 1)), list(one.annotations(10))
    assert many == sorted(set(many))
    assert after == list(range(first[-1] + 1, first[-1] + 11))
    assert not {*many} & {*first, *after}


def test_ids_of_each_kind_are_counted_apart(system: System) -> None:
    ids = system.app.ids
    kinds = ("user", "login", "project", "task", "segment", "job", "label", "attribute")
    assert [ids.one(kind) for kind in kinds] == [1] * len(kinds)
    assert ids.many("job", 1_000) == list(range(2, 1_002))
    assert ids.many("job", 0) == []
