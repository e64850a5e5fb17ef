"""`annals user`: who may log in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.database import open_database, open_system
from cli.options import DataOption, JsonOption, read_settings

app = typer.Typer(help="Make and list users.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the user logs in with.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input: its first line.")
    ] = False,
    admin: Annotated[bool, typer.Option("--admin", help="Let the user do everything.")] = False,
    email: Annotated[str, typer.Option(help="An e-mail address; the user can log in with it, too.")] = "",
    data: DataOption = None,
) -> None:
    """Make a user. The password is asked for, or read from standard input; it never stands on the command line."""
    password = _read_password(from_stdin=password_stdin)
    with open_system(read_settings(data)) as system:
        from domain.event import SYSTEM, Context

        context = Context(SYSTEM, source="cli")
        user_id = system.app.users.register(context, name, password, email=email, is_admin=admin)
    typer.echo(f"User {user_id} is {name}")


@app.command("list")
def list_users(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List all users."""
    with open_database(read_settings(data)) as database:
        rows = database.query(
            "SELECT id, username, email, is_admin, is_active, date_joined, last_login FROM users ORDER BY id"
        )
    from cli.output import print_json, print_table

    if as_json:
        print_json(rows)
        return
    columns = ("id", "username", "email", "admin", "active", "joined", "last login")
    print_table(columns, [list(row.values()) for row in rows])


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask on", param_hint="--password-stdin")
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer
