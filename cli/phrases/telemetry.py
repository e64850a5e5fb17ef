"""What happened to clients, in words."""

from __future__ import annotations

from cli.phrases.words import counted, phrase
from domain.events.telemetry import ClientEventsReported


@phrase(ClientEventsReported)
def _(body: ClientEventsReported) -> str:
    worked = sum(time["milliseconds"] for time in body.working_times)
    seconds = f" and {worked / 1_000:,.0f} s of work" if worked else ""
    return f"reported {counted(len(body.events), 'event')} of a user interface{seconds}"
