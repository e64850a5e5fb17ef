"""Options that several commands share, and the settings that come of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from infra.settings import Settings

DataOption = Annotated[
    Path | None,
    typer.Option("--data", envvar="ANNALS_DATA", help="The data folder.", show_default="annals-data"),
]
TopologyOption = Annotated[
    Path | None, typer.Option("--topology", metavar="FILE", help="What is sent where; left out: all to ClickHouse.")
]
SinkOption = Annotated[str | None, typer.Option("--sink", help="A sink of the topology; left out: ClickHouse.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def read_settings(data: Path | None, **given: Any) -> Settings:
    """Command line before environment before files of secrets before default. Exits with 2 for a wrong value."""
    # Here, not above: the import takes longer than `annals --help` should.
    from pydantic import ValidationError

    from infra.settings import Settings, secrets_folder

    values = {name: value for name, value in {"data": data, **given}.items() if value is not None}
    values["_secrets_dir"] = secrets_folder()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise typer.BadParameter(_words(error)) from error
    return settings.model_copy(update={"data": settings.data.expanduser().absolute()})


def _words(error: Any) -> str:
    # The value itself may be a secret, and is left out.
    return "; ".join(f"ANNALS_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
