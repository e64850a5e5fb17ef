"""Credentials and settings: who a request comes from, and what it may change."""

from __future__ import annotations

import base64

import pytest

from infra.clickhouse.access import check_database
from infra.clickhouse.configuration import changeable
from infra.clickhouse.errors import QueryFailed, from_engine
from infra.clickhouse.request import parse_request
from infra.clickhouse.users import WRITER, Role, User


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("query_string", "headers", "user", "password"),
    [
        (b"", {}, "", ""),
        (b"user=a&password=b%20c", {}, "a", "b c"),
        (b"user=a&password=b", basic("forwarder:x:y"), "forwarder", "x:y"),
        (b"", {**basic("a:b"), "x-clickhouse-user": "forwarder", "x-clickhouse-key": "k"}, "forwarder", "k"),
    ],
)
def test_where_credentials_are_looked_for(
    query_string: bytes, headers: dict[str, str], user: str, password: str
) -> None:
    credentials = parse_request("POST", query_string, headers).credentials
    assert (credentials.user, credentials.password) == (user, password)
    assert password == "" or password not in repr(credentials)


@pytest.mark.parametrize(
    "header", ["Bearer abc", "Basic", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode()]
)
def test_credentials_that_cannot_be_read(header: str) -> None:
    with pytest.raises(QueryFailed) as caught:
        parse_request("POST", b"", {"authorization": header})
    assert caught.value.code == 516


@pytest.mark.parametrize(
    ("method", "query_string", "role"),
    [
        ("POST", b"", Role.WRITER),
        ("POST", b"readonly=0", Role.WRITER),
        ("POST", b"readonly=1", Role.READER),
        ("GET", b"", Role.READER),
        ("HEAD", b"readonly=0", Role.READER),
    ],
)
def test_some_requests_only_read(method: str, query_string: bytes, role: Role) -> None:
    request = parse_request(method, query_string, {})
    assert request.user(User(WRITER, Role.WRITER)) == User(WRITER, role)
    assert request.user(User("ann", Role.READER)) == User("ann", Role.READER)


def test_parameters_settings_and_transport_are_kept_apart() -> None:
    given = (
        b"query=SELECT+1&param_x=a%2Fb&max_threads=2&session_id=s&compress=0&client_protocol_version=54405&query_id=q"
    )
    request = parse_request("POST", given, {"x-clickhouse-format": "JSON"})
    assert (request.params, request.settings) == ({"x": "a/b"}, {"max_threads": "2"})
    assert (request.query, request.query_id, request.default_format) == ("SELECT 1", "q", "JSON")
    assert request.session is not None
    assert len(parse_request("POST", b"query_id=a%0D%0AX:%20y", {}).query_id) == 36


def test_a_reader_stays_out_of_system() -> None:
    check_database(Role.WRITER, "system")
    check_database(Role.READER, "default")
    with pytest.raises(QueryFailed):
        check_database(Role.READER, "SYSTEM")


def test_settings_that_name_files_or_change_the_language_are_fixed() -> None:
    for name in (
        "dialect",
        "format_schema",
        "output_format_schema",
        "format_template_resultset",
        "input_format_record_errors_file_path",
        "additional_result_filter",
        "allow_experimental_eval_table_function",
        "enable_trino_dialect",
        "allow_python_table_function",
        "async_insert",
        "readonly",
        "max_final_threads",
    ):
        assert not changeable(name)
    for name in ("max_execution_time", "output_format_json_quote_64bit_integers", "insert_deduplication_token"):
        assert changeable(name)


def test_the_engines_errors_are_read() -> None:
    nested = (
        "Code: 73. DB::Exception: Code: 73. DB::Exception: Unknown format X(Y). (UNKNOWN_FORMAT) (version 26.9.2.1)."
        " (UNKNOWN_FORMAT)"
    )
    error = from_engine(RuntimeError(nested))
    assert (error.code, error.name, error.message, error.status) == (73, "UNKNOWN_FORMAT", "Unknown format X(Y)", 404)
    assert error.text("1.2") == "Code: 73. DB::Exception: Unknown format X(Y). (UNKNOWN_FORMAT) (version 1.2)\n"
    assert from_engine(RuntimeError("boom")).status == 500
