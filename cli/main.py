"""The `annals` command. Each command imports what it needs when it runs, so that all of them start fast."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer

from cli import (
    blobs,
    clickhouse_users,
    copies,
    database,
    demo,
    doctor,
    events,
    health,
    log,
    migrate,
    purge,
    replay,
    restore,
    serve,
    users,
    verify,
)
from cli.forward import commands as forward
from cli.roles import commands as roles
from domain.errors import AnnalsError, Invalid

app = typer.Typer(
    help="An annotation server that never loses anything, and the tools of whoever runs it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(demo.demo)
app.add_typer(users.app, name="user")
app.add_typer(clickhouse_users.app, name="clickhouse-user")
app.add_typer(events.app, name="events")
app.add_typer(forward.app, name="forward")
app.add_typer(log.app, name="log")
app.add_typer(blobs.app, name="blobs")
app.command()(replay.replay)
app.add_typer(copies.app, name="copies")
app.command()(verify.verify)
app.command()(restore.restore)
app.command()(purge.purge)
app.command()(doctor.doctor)
app.command()(migrate.migrate)
app.command()(health.health)
app.command("database-url")(database.database_url)
for role in (roles.api, roles.agent, roles.relay, roles.clickhouse):
    app.command()(role)


@app.command(hidden=True)
def docs(folder: Path = Path("docs")) -> None:
    """Write the generated pages of the reference anew."""
    from cli.reference import write

    for path in write(folder, app):
        typer.echo(path)


def main() -> None:
    """Exit codes: 0 done; 1 not done, or something is wrong; 2 the command line is not right."""
    try:
        app(prog_name="annals")
    except Invalid as error:
        sys.exit(f"annals: {_words(error.detail)}")
    except AnnalsError as error:
        sys.exit(f"annals: {error.message}")


def _words(detail: Any) -> str:
    """The texts of an error body: `{"field": [text]}`, `[text]` or a text."""
    if isinstance(detail, dict):
        return " ".join(f"{field}: {_words(texts)}" for field, texts in detail.items())
    return " ".join(map(_words, detail)) if isinstance(detail, list) else str(detail)


if __name__ == "__main__":
    main()
