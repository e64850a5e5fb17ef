"""What happened to clients and servers, in words."""

from __future__ import annotations

from cli.phrases.words import counted, phrase
from domain.events.telemetry import ClientEventsReported, ServerEventsReported


@phrase(ClientEventsReported)
def _(body: ClientEventsReported) -> str:
    worked = sum(time["milliseconds"] for time in body.working_times)
    seconds = f" and {worked / 1_000:,.0f} s of work" if worked else ""
    return f"reported {counted(len(body.events), 'event')} of a user interface{seconds}"


@phrase(ServerEventsReported)
def _(body: ServerEventsReported) -> str:
    happened = sum(event["count"] for event in body.events)
    failures = sum(event["count"] for event in body.events if event["scope"] == "send:exception")
    return f"told of {counted(happened, 'thing')} in {body.process}, {counted(failures, 'error')} among them"
