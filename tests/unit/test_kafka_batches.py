"""Batches of records: the library reads back what was gathered."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.record.memory_records import MemoryRecords

from infra.kafka.batches import BATCH_BYTES, Gathering, varint
from infra.kafka.messages import Header

PARTITION = TopicPartition("events", 0)
NO_COMPRESSION, LZ4 = 0, 3

headers = st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=80)), max_size=4)
records = st.lists(st.tuples(st.binary(max_size=80), st.binary(max_size=200), headers), min_size=1, max_size=5)


@given(records, st.sampled_from([NO_COMPRESSION, LZ4]))
@example([(b"job-1", b"large" * 100_000, [("position", b"1")])], LZ4)
@example([(b"job-1", b"{}", [])] * 5_000, NO_COMPRESSION)
def test_a_batch_is_what_was_gathered(given_records: list[tuple[bytes, bytes, list[Header]]], compression: int) -> None:
    gathering = Gathering()
    for record in given_records:
        gathering.add(*record)
    batch = gathering.batch(PARTITION, compression)
    assert (gathering.number, batch.record_count) == (len(given_records), len(given_records))
    batch.records.close()
    found = MemoryRecords(batch.records.buffer()).next_batch()
    assert found.validate_crc()
    read = list(found)
    assert [(record.key, record.value, record.headers) for record in read] == given_records
    assert [record.offset for record in read] == list(range(len(given_records)))
    assert len({record.timestamp for record in read}) == 1


def test_there_is_room_for_one_record_however_large_and_for_more_until_it_is_full() -> None:
    gathering = Gathering()
    assert gathering.has_room(b"x" * 10 * BATCH_BYTES)
    gathering.add(b"key", b"x" * (BATCH_BYTES - 100), [])
    assert gathering.has_room(b"x" * 50)
    assert not gathering.has_room(b"x" * 100)


def test_numbers_are_as_short_as_they_can_be() -> None:
    assert [varint(number) for number in (0, 63, 64, 8_191, 8_192)] == [
        b"\0", b"\x7e", b"\x80\x01", b"\xfe\x7f", b"\x80\x80\x01",
    ]  # fmt: skip
