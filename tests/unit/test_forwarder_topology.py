"""The topology: what a file may say, what is said of one that is wrong, and what transforms do to rows."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import domain.events  # noqa: F401  (registers every event type)
from consumers.forwarder.batch import Limits
from consumers.forwarder.rows import COLUMNS, TableRow, table_rows
from consumers.forwarder.shaping import Redactable, enrich, keep, redact, shaper
from consumers.forwarder.topology import Topology, Wrong, default, read
from domain.event import Body, Event, Metadata
from domain.events.job import JobAssigned, JobStateChanged
from domain.events.telemetry import ClientEvent, ClientEventsReported

from .test_forwarder_batches import MARCH

WHOLE = """
[sources.log]
type = "log"

[transforms.jobs]
type = "filter"
input = "log"
scopes = ["update:job"]

[transforms.anonymous]
type = "redact"
input = "jobs"
people = true
columns = ["org_slug"]
payload = ["request.source"]
how = "hash"

[transforms.here]
type = "enrich"
input = "anonymous"
payload = { site = "berlin" }

[sinks.clickhouse]
type = "clickhouse"
input = "log"

[sinks.archive]
type = "file"
input = "here"
folder = "/var/archive"
format = "parquet"
batch = { seconds = 300 }
buffer = { disk = 1_000_000_000 }
"""


@pytest.fixture
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("topology") / "forwarder.toml"


def event(body: Body) -> Event:
    return Event(body.stream, 1, body, Metadata(MARCH, "api", 5, "ann", user_agent="curl", actor_email="ann@x"), 9)


MOVED = event(JobStateChanged(11, 7, None, "validation", "completed", "annotation", "new"))
ASSIGNED = event(JobAssigned(11, 7, None, 6, "bob", None))


def named(rows: list[TableRow]) -> list[dict[str, object]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


class TestFile:
    """What can be read, and what is said of what can't."""

    def test_each_sink_is_a_route_of_its_own(self, file: Path) -> None:
        file.write_text(WHOLE)
        clickhouse, archive = read(file).routes()
        assert (clickhouse.consumer, clickhouse.transforms, clickhouse.sink.type) == ("forwarder", [], "clickhouse")
        assert (archive.consumer, archive.source.type, archive.sink.type) == ("forwarder-archive", "log", "file")
        assert [transform.type for transform in archive.transforms] == ["filter", "redact", "enrich"]
        assert archive.sink.batch.limits() == Limits(rows=100_000, bytes=64 * 1024 * 1024, seconds=300)

    @pytest.mark.parametrize("kafka", [False, True])
    def test_without_a_file_everything_goes_to_clickhouse(self, kafka: bool) -> None:
        (route,) = default(kafka).routes()
        assert (route.source.type, route.sink.type) == ("kafka" if kafka else "log", "clickhouse")

    @pytest.mark.parametrize(
        ("change", "complaint"),
        [
            (
                ('input = "log"\nscopes', 'input = "logg"\nscopes'),
                "logg is no source and no transform, but an input of",
            ),
            (('input = "jobs"', 'input = "here"'), "the inputs of the sink archive lead round in a circle"),
            (('"org_slug"', '"position"'), "transforms.anonymous.redact.columns.0: Input should be"),
            (
                ('format = "parquet"', 'format = "csv"'),
                "sinks.archive.file.format: Input should be 'jsonl' or 'parquet'",
            ),
            (("seconds = 300", "second = 300"), "sinks.archive.file.batch.second: Extra inputs are not permitted"),
            (("seconds = 300", "rows = 0"), "sinks.archive.file.batch.rows: Input should be greater than 0"),
            (("[sinks.archive]", "[sinks.'../x']"), "String should match pattern"),
            (("[transforms.jobs]", "[transforms.log]"), "log is both a source and a transform"),
            (("[sources.log]", "[sources.log"), "is not TOML"),
            (("seconds = 300", "seconds = true"), "batch.seconds: Input should be a valid number"),
            (("seconds = 300", "rows = '5'"), "batch.rows: Input should be a valid integer"),
            (("seconds = 300", "seconds = inf"), "batch.seconds: Input should be a finite number"),
            (('"berlin"', "inf"), "transforms.here.enrich.payload.site"),
            (
                ('type = "clickhouse"', 'type = "clickhouse"\nurl = "nonsense"'),
                "sinks.clickhouse.clickhouse.url: it should be http://user:password@host:port",
            ),
            (
                ("[sinks.archive]", '[transforms.unused]\ntype = "filter"\ninput = "logg"\n[sinks.archive]'),
                "logg is no source and no transform, but an input of the transform unused",
            ),
            (('type = "clickhouse"', 'type = "elsewhere"'), "does not match any of the expected tags"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_place(self, file: Path, change: tuple[str, str], complaint: str) -> None:
        file.write_text(WHOLE.replace(*change, 1))
        with pytest.raises(Wrong) as wrong:
            read(file)
        assert str(wrong.value).startswith(str(file))
        assert complaint in str(wrong.value)

    def test_all_that_is_wrong_is_said_at_once(self, file: Path) -> None:
        file.write_text(WHOLE.replace('input = "here"', 'input = "there"').replace('input = "log"', 'input = "logg"'))
        with pytest.raises(Wrong) as wrong:
            read(file)
        for part in ("transform jobs", "sink clickhouse", "sink archive"):
            assert f"but an input of the {part}" in str(wrong.value)

    def test_a_file_that_is_not_there(self, file: Path) -> None:
        with pytest.raises(Wrong, match="No such file"):
            read(file)

    @pytest.mark.parametrize(
        "urls", [({}, {}), ({"url": "http://a:b@host:8123"}, {"url": "http://c:d@HOST:8123/cvat?compress=0"})]
    )
    def test_two_sinks_must_not_feed_one_clickhouse(self, urls: tuple[dict[str, str], dict[str, str]]) -> None:
        sinks = {
            name: {"type": "clickhouse", "input": "log", **url} for name, url in zip(("one", "two"), urls, strict=True)
        }
        with pytest.raises(ValueError, match="the same ClickHouse"):
            Topology.model_validate({"sources": {"log": {"type": "log"}}, "sinks": sinks})

    @pytest.mark.parametrize("named", ["http://c:d@127.0.0.1:8123/cvat", "http://localhost", "http://[::1]:8123"])
    def test_nor_one_by_its_name_and_one_by_the_settings(self, named: str) -> None:
        sink = {"type": "clickhouse", "input": "log"}
        sinks = {"one": sink, "two": {**sink, "url": named}}
        topology = Topology.model_validate({"sources": {"log": {"type": "log"}}, "sinks": sinks})
        with pytest.raises(Wrong, match="the same ClickHouse: one that names no url writes into that of the settings"):
            topology.check_servers("http://a:b@127.0.0.1:8123/cvat")
        topology.check_servers("http://a:b@127.0.0.1:8124/cvat")
        topology.check_servers("http://a:b@elsewhere:8123/cvat")

    def test_two_sinks_must_not_fill_one_folder(self) -> None:
        sinks = {
            name: {"type": "file", "input": "log", "folder": folder, "format": format_name}
            for name, folder, format_name in [("one", "/archive", "jsonl"), ("two", "/x/../archive/", "parquet")]
        }
        with pytest.raises(ValueError, match="the same folder"):
            Topology.model_validate({"sources": {"log": {"type": "log"}}, "sinks": sinks})

    def test_hashes_need_a_key(self, file: Path) -> None:
        file.write_text(WHOLE)
        route = read(file).route("archive")
        with pytest.raises(Wrong, match="ANNALS_REDACTION_KEY"):
            route.shaper(None)
        (first, second) = named(route.shaper(b"secret")(MOVED))
        assert first["user_name"] == second["user_name"] != "ann"
        assert isinstance(first["user_id"], int)
        payload = orjson.loads(str(first["payload"]))
        assert (payload["site"], payload["request"]) == ("berlin", {"id": None})


class TestTransforms:
    """Filter, redact, enrich: on all rows of an event, and the same each time."""

    def test_a_filter_numbers_what_is_left(self) -> None:
        rows = named(shaper([keep(["update:*"], ["update:jobb"])])(MOVED))
        assert [(row["row"], row["rows"], row["obj_name"]) for row in rows] == [(0, 2, "stage"), (1, 2, "state")]

    def test_of_an_event_that_is_filtered_out_its_position_stays(self) -> None:
        (row,) = named(shaper([keep(["create:*"])])(ASSIGNED))
        assert (row["scope"], row["position"], row["row"], row["rows"]) == ("record:event", 9, 0, 1)
        assert (row["obj_name"], row["obj_id"], row["obj_val"], row["payload"]) == (None, None, None, "{}")

    def test_redaction_leaves_columns_and_keys_out(self) -> None:
        (row,) = named(
            shaper([redact(["user_name", "obj_val"], ["request.user_agent", "nowhere.at.all"], None)])(ASSIGNED)
        )
        assert (row["user_name"], row["obj_val"], row["user_id"]) == (None, None, 5)
        assert orjson.loads(str(row["payload"]))["request"].keys() == {"id", "source"}

    @given(st.text(min_size=1), st.text(min_size=1))
    def test_a_hash_is_the_same_for_the_same_and_tells_nothing(self, key: str, other: str) -> None:
        def hashed(key: str) -> object:
            step = redact(["user_name"], [], key.encode(errors="replace"))
            return named(step(table_rows(ASSIGNED)))[0]["user_name"]

        assert hashed(key) == hashed(key) != "ann"
        assert (hashed(key) == hashed(other)) == (key.encode(errors="replace") == other.encode(errors="replace"))

    def test_enriching_changes_nothing_that_is_there(self) -> None:
        (row,) = named(shaper([enrich({"site": "berlin", "request": "mine"})])(ASSIGNED))
        payload = orjson.loads(str(row["payload"]))
        assert (payload["site"], payload["request"]["user_agent"]) == ("berlin", "curl")

    @pytest.mark.parametrize("payload", ["[1]", "5", '"x"', "null", "true"])
    def test_a_payload_that_is_no_table_is_not_enriched_and_may_be_redacted(self, payload: str) -> None:
        said: ClientEvent = {"scope": "draw:object", "timestamp": MARCH.isoformat(), "payload": payload}
        steps = [enrich({"site": "berlin"}), redact([], ["request.id", "site"], None)]
        (row,) = named(shaper(steps)(event(ClientEventsReported(5, "2026-03-01", [said], [], None))))
        assert row["payload"] == payload

    def test_streams_and_tokens_can_be_left_out_too(self) -> None:
        columns: list[Redactable] = ["stream", "access_token_id", "obj_id", "user_email"]
        (row,) = named(shaper([redact(columns, [], None)])(ASSIGNED))
        assert [row[name] for name in columns] == ["", None, None, None]
