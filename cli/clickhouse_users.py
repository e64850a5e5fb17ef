"""`annals clickhouse-user`: who may read the embedded ClickHouse with a password."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.options import DataOption, JsonOption, read_settings

app = typer.Typer(help="Who reads the embedded ClickHouse with a password: analysts, Grafana.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="What the reader logs in with.")]


@app.command()
def add(
    name: NameArgument,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input: its first line.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Let somebody read. The password is asked for, or read from standard input; a running server knows at once."""
    from infra.clickhouse.readers_file import add_reader

    path = read_settings(data).clickhouse_readers_file
    path.parent.mkdir(parents=True, exist_ok=True)
    add_reader(path, name, _password(from_stdin=password_stdin))
    typer.echo(f"{name} may read the embedded ClickHouse")


@app.command("list")
def list_readers(data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the readers."""
    from cli.output import print_json, print_table
    from infra.clickhouse.readers_file import reader_names

    names = reader_names(read_settings(data).clickhouse_readers_file)
    if as_json:
        print_json([{"name": name} for name in names])
    else:
        print_table(["name"], [[name] for name in names])


@app.command()
def remove(name: NameArgument, data: DataOption = None) -> None:
    """Take the password of a reader away. While anybody may read (ANNALS_CLICKHOUSE_ANONYMOUS), so may they."""
    from infra.clickhouse.readers_file import remove_reader

    remove_reader(read_settings(data).clickhouse_readers_file, name)
    typer.echo(f"{name} is no reader any more")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is no terminal to ask on", param_hint="--password-stdin")
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer
