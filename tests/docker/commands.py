"""Whether a container's command and settings are ones that Annals knows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import typer
import yaml
from typer.main import get_command

from cli.main import app
from infra.settings import SECRETS, Settings

DOCKER = Path(__file__).parents[2] / "docker"
SETTINGS = {f"ANNALS_{name.upper()}" for name in Settings.model_fields} | {SECRETS}
UsageError = cast(type[Exception], typer.BadParameter.__base__)  # Typer's click may be its own
SECRET_SETTINGS = {name.lower() for name in SETTINGS}


class Loader(yaml.SafeLoader):
    """Knows Compose's own tags, too."""


Loader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))


def load(file: str) -> dict[str, Any]:
    return cast(dict[str, Any], yaml.load((DOCKER / file).read_text(), Loader))


def check_command(words: Sequence[str]) -> None:
    """Parses it as the image's entry point does. Raises UsageError."""
    command, rest = cast(Any, get_command(app)), list(words)
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if hasattr(command, "commands") and not command.invoke_without_command:
        raise UsageError(f"{words} is no whole command")
    command.make_context(" ".join(words), rest)


def check_settings(names: Iterable[str]) -> None:
    assert {name for name in names if name.startswith("ANNALS_")} <= SETTINGS
