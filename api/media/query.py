"""Which chunk or frame a client asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.datastructures import QueryParams

from api.numbers import natural
from domain.errors import Invalid

TYPES = ("chunk", "frame", "context_image")
QUALITIES = ("compressed", "original")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a query asks for. `number`: a task's chunk, or a frame; `index`: a job's own chunk."""

    type: str
    quality: str
    number: int | None
    index: int | None


def parameters(*, job: bool) -> list[dict[str, Any]]:
    """What `parse` reads, in OpenAPI's words."""
    number = {"type": "integer", "minimum": 0}
    texts: dict[str, dict[str, Any]] = {
        "type": {"type": "string", "enum": list(TYPES)},
        "quality": {"type": "string", "enum": list(QUALITIES), "default": "compressed"},
        "number": number,
    }
    if job:
        texts["index"] = number
    return [{"in": "query", "name": name, "required": name == "type", "schema": text} for name, text in texts.items()]


def parse(query: QueryParams, *, job: bool) -> Wanted:
    """Raises Invalid, with a text, as CVAT does."""
    if query.get("type") not in TYPES:
        raise Invalid(f"type must be one of {', '.join(TYPES)}")
    quality = query.get("quality", "compressed")
    if quality not in QUALITIES:
        raise Invalid(f"quality must be one of {', '.join(QUALITIES)}")
    wanted = Wanted(query["type"], quality, _number(query, "number"), _number(query, "index") if job else None)
    if wanted.type == "chunk" and job and (wanted.number is None) == (wanted.index is None):
        raise Invalid("exactly one of number and index must be given")
    if wanted.number is None and (wanted.index is None or wanted.type != "chunk"):
        raise Invalid("number must be given")
    return wanted


def _number(query: QueryParams, name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    number = natural(text, digits=9)
    if number is None:
        raise Invalid(f"{name} must be a number, 0 or more")
    return number
