"""Statements sent as multipart/form-data: with parameters too long for a URL, or with external tables."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from python_multipart import parse_form
from python_multipart.exceptions import FormParserError

from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.external import described, external_table
from infra.clickhouse.request import Request, parameters


def is_form(request: Request) -> bool:
    return request.content_type.lower().startswith("multipart/form-data")


def with_form(request: Request, body: bytes, largest: int) -> Request:
    """`request` with the statement and the parameters of its form; its files are external tables. Raises QueryFailed
    307 for a body of more than `largest` bytes.
    """
    if len(body) > largest:
        raise QueryFailed(Code.QUERY_IS_TOO_LARGE, f"A form, with its external tables, can have {largest} bytes")
    values: dict[str, str] = {}
    files: dict[str, bytes] = {}

    def on_field(field: Any) -> None:
        values[field.field_name.decode(errors="replace")] = (field.value or b"").decode(errors="replace")

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        files[file.field_name.decode(errors="replace")] = file.file_object.read()

    try:
        parse_form({"Content-Type": request.content_type.encode()}, io.BytesIO(body), on_field, on_file)
    except FormParserError as error:
        raise QueryFailed(Code.BAD_ARGUMENTS, f"The form cannot be read: {error}") from error
    said = {**request.settings, **values}
    descriptions = {name for file in files for name in described(file)}
    return replace(
        request,
        query="\n".join(filter(None, (request.query, values.get("query", "")))),
        params={**request.params, **parameters(values)},
        settings={name: value for name, value in request.settings.items() if name not in descriptions},
        external=tuple(external_table(name, data, said) for name, data in files.items()),
        content_encoding="",
    )
