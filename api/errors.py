"""The one place where errors become HTTP, in CVAT's shapes."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.observed import observation
from api.responses import json_response
from domain.errors import (
    AnnalsError,
    Conflict,
    Forbidden,
    Invalid,
    MediaError,
    NotAuthenticated,
    NotFound,
    NotOffered,
    RequestInProgress,
    StorageFull,
    TooLarge,
    TooMany,
    Unavailable,
    VersionConflict,
)

log = structlog.get_logger(__name__)


class PreconditionFailed(VersionConflict):
    """The version that the client insisted on, with `If-Match`, no longer stands."""


STATUS: dict[type[AnnalsError], int] = {
    PreconditionFailed: 412,
    Invalid: 400,
    MediaError: 400,
    NotAuthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    NotOffered: 405,
    Conflict: 409,
    TooLarge: 413,
    TooMany: 429,
    Unavailable: 503,
    StorageFull: 507,
}
RETRY_AFTER_SECONDS = 2
MAX_ERRORS = 100


def status_of(error: AnnalsError) -> int:
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


def body_of(error: AnnalsError) -> Any:
    if isinstance(error, Invalid):
        return error.detail
    if isinstance(error, RequestInProgress):
        return {"rq_id": error.request_id}
    if isinstance(error, PreconditionFailed):
        return {"detail": error.message, "version": error.actual}
    return {"detail": error.message}


def drf_errors(errors: list[dict[str, Any]]) -> Any:
    """Pydantic's errors in Django REST framework's shape: {field: [text]}; in lists, valid items show as {}."""
    if any(error["type"] == "json_invalid" for error in errors):
        return {"detail": "JSON parse error"}
    tree: dict[str | int, Any] = {}
    for error in errors[:MAX_ERRORS]:
        path = [part for part in error["loc"] if part not in ("body", "query")] or ["non_field_errors"]
        _put(tree, path, _text(error))
    return _with_lists(tree)


def _put(node: dict[str | int, Any], path: list[str | int], text: str) -> None:
    for part in path[:-1]:
        child = node.setdefault(part, {})
        if not isinstance(child, dict):  # the whole was refused already
            return
        node = child
    leaf = node.setdefault(path[-1], [])
    if isinstance(leaf, list):
        leaf.append(text)


def _with_lists(tree: dict[str | int, Any]) -> Any:
    """Dictionaries by position become lists, with {} where nothing is wrong."""
    nested = {key: _with_lists(value) if isinstance(value, dict) else value for key, value in tree.items()}
    positions = [key for key in nested if isinstance(key, int)]
    if not positions or len(positions) < len(nested) or max(positions) > MAX_ERRORS * 10:
        return {str(key): value for key, value in nested.items()}
    return [nested.get(position, {}) for position in range(max(positions) + 1)]


def _text(error: dict[str, Any]) -> str:
    texts = {
        "missing": "This field is required.",
        "int_type": "A valid integer is required.",
        "int_parsing": "A valid integer is required.",
        "int_from_float": "A valid integer is required.",
        "float_type": "A valid number is required.",
        "float_parsing": "A valid number is required.",
        "bool_type": "Must be a valid boolean.",
        "bool_parsing": "Must be a valid boolean.",
        "string_type": "Not a valid string.",
        "string_pattern_mismatch": "Null characters are not allowed.",
        "list_type": "Expected a list of items.",
    }
    context = error.get("ctx") or {}
    if error["type"] == "string_too_long":
        return f"Ensure this field has no more than {context['max_length']} characters."
    if error["type"] == "string_too_short":
        return "This field may not be blank."
    if error["type"] == "greater_than_equal":
        return f"Ensure this value is greater than or equal to {context['ge']}."
    if error["type"] == "less_than_equal":
        return f"Ensure this value is less than or equal to {context['le']}."
    return texts.get(error["type"]) or str(error["msg"])


def response_to(request: Request, error: Exception) -> Response:
    """What the client is told. An error that nobody foresaw is logged."""
    observation(request.scope).error = error
    if isinstance(error, AnnalsError):
        return _annals_error(error)
    if isinstance(error, RequestValidationError | ValidationError):
        return _validation_error(error)
    if isinstance(error, HTTPException):
        return _http_exception(request, error)
    log.error("unexpected error", path=request.url.path, method=request.method, exc_info=error)
    return json_response({"detail": "The server failed to answer; the failure has been logged."}, 500)


def detail_of(error: Exception) -> Any:
    """What the client is told of an error, without what it sent; of one that nobody foresaw, what it was."""
    if isinstance(error, AnnalsError):
        return error.detail if isinstance(error, Invalid) else error.message
    if isinstance(error, RequestValidationError | ValidationError):
        return drf_errors([dict(item) for item in error.errors()])
    if isinstance(error, HTTPException):
        return str(error.detail)
    return f"{type(error).__name__}: {error}"


def _annals_error(error: AnnalsError) -> Response:
    status = status_of(error)
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Token"
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    elif status in (503, 507):
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if isinstance(error, PreconditionFailed):
        headers["ETag"] = f'"{error.actual}"'
    return json_response(body_of(error), status, headers)


def _validation_error(error: RequestValidationError | ValidationError) -> Response:
    errors: list[dict[str, Any]] = [dict(item) for item in error.errors()]
    if any(item["loc"][:1] == ("path",) for item in errors):
        return json_response({"detail": "Not found."}, 404)
    return json_response(drf_errors(errors), 400)


def _http_exception(request: Request, error: HTTPException) -> Response:
    details = {404: "Not found.", 405: f'Method "{request.method}" not allowed.'}
    detail = details.get(error.status_code) or str(error.detail)
    return json_response({"detail": detail}, error.status_code, error.headers)
