"""What a client asks for: the parts of an HTTP request that the ClickHouse interface gives a meaning."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from infra.clickhouse.compression import Coding, negotiate, own_blocks
from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.external import ExternalTable
from infra.clickhouse.users import Credentials, Role, User

# URL parameters that concern the transport, not the engine. Some are honoured below, the rest change nothing here.
_TRANSPORT: Final = """
    query query_id database default_format user password quota_key role stacktrace add_http_cors_header readonly
    session_id session_timeout session_check close_session compress decompress enable_http_compression buffer_size
    wait_end_of_query client_protocol_version send_progress_in_http_headers http_headers_progress_interval_ms
    cancel_http_readonly_queries_on_client_close http_zlib_compression_level http_wait_end_of_query
    http_response_buffer_size network_compression_method network_zstd_compression_level replace_running_query
"""
_DEFAULT_FORMAT: Final = "TabSeparated"
_SHORTEST_PROGRESS: Final = 0.05
_QUERY_ID: Final = re.compile(r"[\x21-\x7e]{1,256}")


@dataclass(frozen=True)
class Session:
    id: str
    timeout: float
    must_exist: bool


@dataclass(frozen=True)
class Request:
    """One call of the HTTP interface, before its body is read."""

    method: str
    query: str
    database: str
    """Empty for the session's, which is `engine.DATABASE` at first."""
    default_format: str
    query_id: str
    settings: Mapping[str, str]
    params: Mapping[str, str]
    external: tuple[ExternalTable, ...]
    session: Session | None
    credentials: Credentials
    content_type: str
    content_encoding: str
    blocks: bool
    """The body comes in ClickHouse's own compressed blocks (decompress)."""
    coding: Coding | None
    """How the answer is compressed."""
    revision: int
    """Of the protocol that the client speaks (client_protocol_version): changes the format Native. 0: it says none."""
    whole: bool
    """The client wants to know how the query ended before it gets the first byte (wait_end_of_query)."""
    progress_seconds: float | None
    """How often the client wants a header with the progress; None: never."""
    replace: bool
    """A running query of the same id makes way for this one (replace_running_query)."""
    read_only: bool
    """GET and HEAD never change anything, and a client may ask for `readonly`."""

    def user(self, user: User) -> User:
        """Who this request runs as, when `user` sends it."""
        return dataclasses.replace(user, role=Role.READER) if self.read_only else user


def parse_request(method: str, query_string: bytes, headers: Mapping[str, str]) -> Request:
    """Raises QueryFailed for what this endpoint does not do. `headers` have lower-case names."""
    url = dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, encoding="utf-8", errors="replace"))
    return Request(
        method=method,
        query=url.get("query", ""),
        database=headers.get("x-clickhouse-database") or url.get("database", ""),
        default_format=url.get("default_format") or headers.get("x-clickhouse-format") or _DEFAULT_FORMAT,
        query_id=_query_id(url.get("query_id", "")),
        settings={name: value for name, value in url.items() if name not in _TRANSPORT.split() and not _is_param(name)},
        params=parameters(url),
        external=(),
        session=_session(url),
        credentials=_credentials(url, headers),
        content_type=headers.get("content-type", ""),
        content_encoding=headers.get("content-encoding", ""),
        blocks=_true(url.get("decompress")),
        coding=_coding(url, headers),
        revision=_number(url, "client_protocol_version", 0),
        whole=_true(url.get("wait_end_of_query")) or _true(url.get("http_wait_end_of_query")),
        progress_seconds=_progress_seconds(url),
        replace=_true(url.get("replace_running_query")),
        read_only=method != "POST" or url.get("readonly", "0") != "0",
    )


def parameters(values: Mapping[str, str]) -> dict[str, str]:
    """The values for `{name:Type}` in the statement, from `param_name=value`."""
    return {name.removeprefix("param_"): value for name, value in values.items() if _is_param(name)}


def _is_param(name: str) -> bool:
    return name.startswith("param_")


def _true(value: str | None) -> bool:
    return value is not None and value.lower() in ("1", "true", "yes", "on")


def _query_id(given: str) -> str:
    return given if _QUERY_ID.fullmatch(given) else str(uuid.uuid4())


def _session(url: Mapping[str, str]) -> Session | None:
    if not (identity := url.get("session_id", "")):
        return None
    return Session(identity, float(_number(url, "session_timeout", 60)), _true(url.get("session_check")))


def _number(url: Mapping[str, str], name: str, default: int) -> int:
    try:
        return int(url.get(name, default))
    except ValueError as error:
        raise QueryFailed(Code.BAD_ARGUMENTS, f"{name} must be a whole number") from error


def _progress_seconds(url: Mapping[str, str]) -> float | None:
    if not _true(url.get("send_progress_in_http_headers")):
        return None
    return max(_SHORTEST_PROGRESS, _number(url, "http_headers_progress_interval_ms", 100) / 1000)


def _coding(url: Mapping[str, str], headers: Mapping[str, str]) -> Coding | None:
    if _true(url.get("compress")):
        return own_blocks(url.get("network_compression_method", "LZ4"))
    # on unless switched off, as on a ClickHouse server since 25.x
    return negotiate(headers.get("accept-encoding", "")) if _true(url.get("enable_http_compression", "1")) else None


def _credentials(url: Mapping[str, str], headers: Mapping[str, str]) -> Credentials:
    """As a ClickHouse server looks for them: the X-ClickHouse headers, Basic authentication, the URL."""
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return Credentials(headers.get("x-clickhouse-user", ""), headers.get("x-clickhouse-key", ""))
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if not scheme:
        return Credentials(url.get("user", ""), url.get("password", ""))
    try:
        user, colon, password = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise QueryFailed(Code.AUTHENTICATION_FAILED, "Only Basic authentication is available")
    return Credentials(user, password)
