"""`annals user`: who may log in."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.database import open_database, open_system
from cli.options import DataOption, JsonOption, read_settings
from domain.errors import NotFound

if TYPE_CHECKING:
    from domain.event import Context
    from infra.postgres.database import Database

app = typer.Typer(help="Who may log in: users, their passwords and their access tokens.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The user's name.")]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input: its first line.")
]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the user logs in with.")],
    password_stdin: PasswordOption = False,
    admin: Annotated[bool, typer.Option("--admin", help="Let the user do everything.")] = False,
    email: Annotated[str, typer.Option(help="An e-mail address; the user can log in with it, too.")] = "",
    data: DataOption = None,
) -> None:
    """Make a user. The password is asked for, or read from standard input; it never stands on the command line."""
    password = _read_password(from_stdin=password_stdin)
    with open_system(read_settings(data)) as system:
        user_id = system.app.users.register(_operator(), name, password, email=email, is_admin=admin)
    typer.echo(f"User {user_id} is {name}")


@app.command("list")
def list_users(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List all users."""
    with open_database(read_settings(data)) as database:
        rows = database.query(
            "SELECT id, username, email, role, is_active, date_joined, last_login FROM users WHERE NOT is_deleted"
            " ORDER BY id"
        )
    _print(("id", "username", "email", "role", "active", "joined", "last login"), rows, as_json=as_json)


@app.command("reset-password")
def reset_password(name: NameArgument, password_stdin: PasswordOption = False, data: DataOption = None) -> None:
    """Give a user another password. All their logins end; access tokens stay."""
    password = _read_password(from_stdin=password_stdin)
    with open_system(read_settings(data)) as system:
        system.app.users.change_password(_operator(), _user_id(system.database, name), password)
    typer.echo(f"{name} has a new password; all logins ended")


@app.command()
def deactivate(name: NameArgument, data: DataOption = None) -> None:
    """Lock a user out: all their logins end, and access tokens do not work. `activate` undoes it."""
    _set_active(name, data, is_active=False)
    typer.echo(f"{name} is locked out")


@app.command()
def activate(name: NameArgument, data: DataOption = None) -> None:
    """Let a user in again who was locked out."""
    _set_active(name, data, is_active=True)
    typer.echo(f"{name} may log in")


@app.command()
def tokens(
    name: Annotated[str | None, typer.Argument(help="Whose tokens. Left out: everybody's.")] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List access tokens that were not revoked. Their values are not known."""
    with open_database(read_settings(data)) as database:
        user_id = None if name is None else _user_id(database, name)
        rows = database.query(
            "SELECT t.id, u.username, t.name, t.read_only, t.created_date, t.expiry_date, t.last_used_date"
            " FROM access_tokens t JOIN users u ON u.id = t.user_id"
            " WHERE %(user_id)s::bigint IS NULL OR u.id = %(user_id)s ORDER BY t.id",
            {"user_id": user_id},
        )
    _print(("id", "user", "name", "read-only", "made", "expires", "last used"), rows, as_json=as_json)


@app.command("revoke-token")
def revoke_token(
    token_id: Annotated[int, typer.Argument(help="Its id, as `annals user tokens` tells it.")], data: DataOption = None
) -> None:
    """Revoke an access token: it opens nothing any more."""
    with open_system(read_settings(data)) as system:
        try:
            system.app.access_tokens.revoke(_operator(), token_id)
        except NotFound:
            raise NotFound(f"There is no access token {token_id}") from None
    typer.echo(f"Access token {token_id} is revoked")


def _set_active(name: str, data: Path | None, *, is_active: bool) -> None:
    with open_system(read_settings(data)) as system:
        system.app.users.update(_operator(), _user_id(system.database, name), is_active=is_active)


def _user_id(database: Database, name: str) -> int:
    row = database.query_one("SELECT id FROM users WHERE username = %s AND NOT is_deleted", (name,))
    if row is None:
        raise NotFound(f"There is no user {name}")
    return int(row["id"])


def _operator() -> Context:
    from domain.event import SYSTEM, Context

    return Context(SYSTEM, source="cli")


def _print(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    from cli.output import print_json, print_table

    if as_json:
        print_json(rows)
    else:
        print_table(columns, [list(row.values()) for row in rows])


def _read_password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask on", param_hint="--password-stdin")
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer
