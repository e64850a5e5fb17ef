"""Logs: JSON lines in DATA/logs/<role>.log, which can't outgrow its bound; warnings on standard error too. Or, by
ANNALS_LOG_FILES=false, all on standard error, where a container's are looked for.

Everything that logs with the standard library (uvicorn, psycopg, our adapters) goes the same way.
"""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
from structlog.typing import Processor

from infra.settings import Settings

MAX_BYTES = 10_000_000
KEPT_FILES = 3
QUIET = {
    **dict.fromkeys(("psycopg.pool", "PIL", "urllib3", "asyncio"), logging.ERROR),
    "kafka": logging.CRITICAL,  # to it, a connection that was closed is an error
}
"""They warn about what they mend themselves."""


def folder(settings: Settings) -> Path | None:
    """None: there are to be no files."""
    return settings.data / "logs" if settings.log_files else None


def configure(role: str, folder: Path | None) -> None:
    """Sets up this process's logging. `role`: the name of the file, and of the process in every line."""
    screen = logging.StreamHandler(sys.stderr)
    screen.setFormatter(_formatter(role, human=sys.stderr.isatty()))
    handlers: list[logging.Handler] = [screen]
    if folder is not None:
        screen.setLevel(logging.WARNING)
        handlers.append(_file(role, folder))
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    logging.captureWarnings(True)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_shared(role), _hand_over],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _file(role: str, folder: Path) -> logging.Handler:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = RotatingFileHandler(folder / f"{role}.log", maxBytes=MAX_BYTES, backupCount=KEPT_FILES, encoding="utf-8")
    file.setFormatter(_formatter(role, human=False))
    return file


_hand_over: Processor = structlog.stdlib.ProcessorFormatter.wrap_for_formatter


def _shared(role: str) -> list[Processor]:
    def name_role(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event.setdefault("role", role)
        return event

    return [
        name_role,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _formatter(role: str, *, human: bool) -> logging.Formatter:
    # No local variables in tracebacks: they hold passwords.
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if human
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(role),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
