"""The `annals` command. Each command imports what it needs when it runs, so that all of them start fast."""

from __future__ import annotations

import sys

import typer

from cli import database, demo, doctor, events, replay, roles, serve, users, verify
from domain.errors import AnnalsError

app = typer.Typer(
    help="An annotation server that never loses anything, and the tools of whoever runs it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(demo.demo)
app.add_typer(users.app, name="user")
app.add_typer(events.app, name="events")
app.command()(replay.replay)
app.command()(verify.verify)
app.command()(doctor.doctor)
app.command("database-url")(database.database_url)
for role in (roles.api, roles.agent, roles.forward, roles.clickhouse):
    app.command(hidden=True)(role)


def main() -> None:
    """Exit codes: 0 done; 1 not done, or something is wrong; 2 the command line is not right."""
    try:
        app(prog_name="annals")
    except AnnalsError as error:
        sys.exit(f"annals: {error.message}")


if __name__ == "__main__":
    main()
