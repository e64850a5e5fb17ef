"""Statements sent as multipart/form-data: clients do it when the parameters are too long for a URL."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from python_multipart import parse_form
from python_multipart.exceptions import FormParserError

from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.request import Request, parameters


def is_form(request: Request) -> bool:
    return request.content_type.lower().startswith("multipart/form-data")


def with_form(request: Request, body: bytes) -> Request:
    """`request` with the statement and the parameters of its form. Raises QueryFailed for external tables (files)."""
    values: dict[str, str] = {}

    def on_field(field: Any) -> None:
        values[field.field_name.decode()] = (field.value or b"").decode(errors="replace")

    def on_file(_: Any) -> None:
        raise QueryFailed(Code.NOT_IMPLEMENTED, "External tables are not available on the embedded ClickHouse")

    try:
        parse_form({"Content-Type": request.content_type.encode()}, io.BytesIO(body), on_field, on_file)
    except FormParserError as error:
        raise QueryFailed(Code.BAD_ARGUMENTS, f"The form cannot be read: {error}") from error
    query = "\n".join(filter(None, (request.query, values.get("query", ""))))
    return replace(request, query=query, params={**request.params, **parameters(values)}, content_encoding="")
