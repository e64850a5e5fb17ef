"""An event as a Kafka message, and back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from domain.event import Event, Metadata, make_body
from domain.events.annotations import AnnotationsReplaced
from domain.events.job import JobAssigned, JobStateChanged
from infra.eventlog.mapper import HIDDEN, body_fields
from infra.eventlog.skimming import SKIM_FROM
from infra.kafka import messages
from infra.kafka.decoding import Omitted, decode
from infra.kafka.messages import encode

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
TIME = datetime(2026, 11, 21, 10, 30, 0, 123456, tzinfo=UTC)


def columns(type_name: str, schema_version: int, **changes: Any) -> dict[str, Any]:
    """Of a row of the log, without its state."""
    return {
        "position": 41,
        "stream": "job-7",
        "version": 3,
        "type": type_name,
        "schema_version": schema_version,
        "time": TIME,
        "source": "api",
        "actor_id": 1,
        "actor": "ann",
        "organization_id": None,
        "organization": None,
        "project_id": None,
        "task_id": 5,
        "job_id": 7,
        "correlation_id": "request-1",
        "causation_id": None,
        "user_agent": "a browser",
        "idempotency_key": None,
        "access_token_id": 12,
        "actor_email": "ann@x",
    } | changes


BODY = JobStateChanged(7, 5, None, "validation", "completed", "annotation", "new")
PAYLOAD = orjson.dumps(BODY)


def test_a_message_gives_the_event_back() -> None:
    message = encode(columns("JobStateChanged", 1), PAYLOAD)
    meta = Metadata(TIME, "api", 1, "ann", None, None, "request-1", None, "a browser", None, 12, "ann@x")
    assert decode(message.value) == Event("job-7", 3, BODY, meta, 41)


def test_a_message_of_an_older_relay_names_no_access_token_and_no_address() -> None:
    fields = columns("JobStateChanged", 1)
    del fields["access_token_id"], fields["actor_email"]
    meta = decode(encode(fields, PAYLOAD).value).meta
    assert (meta.access_token_id, meta.actor_email) == (None, None)


def test_key_and_headers_tell_what_a_reader_chooses_by() -> None:
    message = encode(columns("JobStateChanged", 1), PAYLOAD)
    assert message.key == b"job-7"
    assert message.headers == [
        ("position", b"41"),
        ("type", b"JobStateChanged"),
        ("version", b"3"),
        ("correlation_id", b"request-1"),
    ]
    assert "correlation_id" not in dict(encode(columns("JobStateChanged", 1, correlation_id=None), PAYLOAD).headers)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_every_version_of_every_event_passes(file: Path) -> None:
    name, version = file.stem.split(".v")
    payload = orjson.dumps(orjson.loads(file.read_bytes()))
    event = decode(encode(columns(name, int(version)), payload).value)
    lifted = make_body(name, int(version), orjson.loads(payload))
    shown = dict.fromkeys(lifted.secret_fields, HIDDEN)
    assert body_fields(event.body) == body_fields(lifted) | shown


def test_secrets_are_hidden() -> None:
    message = encode(columns("UserPasswordChanged", 1), b'{"user_id": 1, "password_hash": "argon2:xyz"}')
    assert b"xyz" not in message.value
    assert orjson.loads(message.value)["body"] == {"user_id": 1, "password_hash": HIDDEN}


@pytest.mark.parametrize(("name", "version"), [("SomethingOfTomorrow", 1), ("UserPasswordChanged", 99)])
def test_what_a_newer_program_wrote_is_not_passed_on(name: str, version: int) -> None:
    """It may hold secrets that are not known here."""
    with pytest.raises(LookupError, match="newer version of Annals"):
        encode(columns(name, version), b"{}")


def test_a_body_that_is_too_large_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "LARGEST_VALUE", len(encode(columns("JobStateChanged", 1), PAYLOAD).value) - 1)
    message = encode(columns("JobStateChanged", 1), PAYLOAD)
    assert dict(message.headers)["omitted"] == str(len(PAYLOAD)).encode()
    with pytest.raises(Omitted, match="position 41 is too large for Kafka"):
        decode(message.value)


def test_a_large_message_comes_without_coordinates_and_otherwise_as_it_is() -> None:
    shapes = [{"id": n, "label_id": 1, "type": "polygon", "points": [n / 3] * 100} for n in range(1_000)]
    body = AnnotationsReplaced(7, 5, None, {"shapes": shapes}, {})
    fields = columns("AnnotationsReplaced", 2, user_agent='a ,"body":{ browser', stream="annotations-7")
    value = encode(fields, orjson.dumps(body)).value
    assert len(value) > SKIM_FROM
    bare = [{name: each for name, each in shape.items() if name != "points"} for shape in shapes]
    event = decode(value)
    assert event.body == replace(body, created={"shapes": bare})
    assert (event.meta.user_agent, event.meta.source) == ('a ,"body":{ browser', "api")


def test_a_large_message_of_another_type_is_whole() -> None:
    body = JobAssigned(7, 5, None, 6, "bob" * SKIM_FROM, None)
    assert decode(encode(columns("JobAssigned", 1), orjson.dumps(body)).value).body == body
