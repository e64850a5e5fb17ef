"""`annals health`: whether the process beside it is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import read_settings

if TYPE_CHECKING:
    from infra.settings import Settings

ANSWER_SECONDS = 4.0


def health(
    url: Annotated[str | None, typer.Argument(help="What to ask. Left out: whoever has these settings.")] = None,
) -> None:
    """Exit with 0 when the process of this machine or container answers that it is well, with 1 otherwise. It asks
    ANNALS_METRICS_PORT where one is set, and the API otherwise.
    """
    from cli.serving.readiness import answers

    asked = url or _address(read_settings(None))
    if not answers(asked, ANSWER_SECONDS):
        typer.echo(f"{asked} does not answer that all is well", err=True)
        raise typer.Exit(1)


def _address(settings: Settings) -> str:
    from cli.serving.listening import local_url
    from cli.serving.server_file import running_server

    if settings.metrics_port:
        return f"{local_url(settings.host, settings.metrics_port)}/health"
    server = running_server(settings.run)  # whose port may be another than that of the settings
    return f"{server.url if server else local_url(settings.host, settings.port)}/api/server/health/"
