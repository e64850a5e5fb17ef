"""Who should be following the log, as the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from consumers.forwarder.checkpoint import CONSUMER
from domain.errors import AnnalsError
from infra.eventlog.followers import RELAY

if TYPE_CHECKING:
    from infra.settings import Settings

log = structlog.get_logger(__name__)


def wanted_followers(settings: Settings) -> Sequence[str] | None:
    """The names under which their places are kept; None when the topology can't be read here."""
    relay = [] if settings.kafka_url is None else [RELAY]
    if settings.topology is None:
        return [*relay, CONSUMER]
    from cli.forward.parts import named_topology  # which takes a moment, and memory

    try:
        return [*relay, *(route.consumer for route in named_topology(settings).routes())]
    except AnnalsError as error:
        log.warning("it is not known who should follow the log", error=error.message)
        return None
