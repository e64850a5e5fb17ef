"""Databases that live longer than one test, and such as nothing has been made in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

from ..conftest import TEMPLATE

BARE = "template1"


@contextmanager
def new_database(postgres: str, template: str = TEMPLATE) -> Iterator[str]:
    """The URL of a database without a single event: prepared, or from BARE."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
