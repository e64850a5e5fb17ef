"""The data types in a Native stream, read from their names: `Map(String, Array(UInt8))` as a small tree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.statement import Token, tokens

_WIDTHS: Final = {
    "Nothing": 1,
    "Bool": 1,
    "Enum8": 1,
    "Enum16": 2,
    "BFloat16": 2,
    "Float32": 4,
    "Float64": 8,
    "Date": 2,
    "Date32": 4,
    "DateTime": 4,
    "DateTime64": 8,
    "Time": 4,
    "Time64": 8,
    "UUID": 16,
    "IPv4": 4,
    "IPv6": 16,
    "Point": 16,
    **{f"{sign}Int{bits}": bits // 8 for sign in ("", "U") for bits in (8, 16, 32, 64, 128, 256)},
}
_DECIMALS: Final = ((9, 4), (18, 8), (38, 16), (76, 32))
_ARRAYS: Final = {
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "Polygon": "Array(Ring)",
    "MultiLineString": "Array(LineString)",
    "MultiPolygon": "Array(Polygon)",
}
_NAME: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class Type:
    """`kind`: fixed (`width` bytes a row), string, array, nullable, tuple or dictionary (LowCardinality)."""

    kind: str
    width: int = 0
    inner: tuple[Type, ...] = ()

    @property
    def prefixes(self) -> int:
        """How many 8-byte prefixes a column of it begins with: one for each LowCardinality in it."""
        return (self.kind == "dictionary") + sum(inner.prefixes for inner in self.inner)


_STRING: Final = Type("string")


@lru_cache(maxsize=1024)
def read_type(text: str) -> Type:
    """The type of this name. Raises QueryFailed 48 for types whose extent only the engine knows (JSON, Dynamic, …)."""
    match = _NAME.match(text)
    name = match[0] if match else ""
    arguments = _arguments(text[len(name) :])
    if known := _simple(name, arguments):
        return known
    if name in _ARRAYS:
        return read_type(_ARRAYS[name])
    if name == "Tuple" and arguments:
        return Type("tuple", inner=tuple(read_type(_unnamed(argument)) for argument in arguments))
    if name in ("Map", "Nested"):
        entry = Type("tuple", inner=tuple(read_type(_unnamed(argument)) for argument in arguments))
        return Type("array", inner=(entry,))
    if name == "SimpleAggregateFunction":
        return read_type(arguments[1])
    kinds = {"Array": "array", "Nullable": "nullable", "LowCardinality": "dictionary"}
    if name in kinds:
        return Type(kinds[name], inner=(read_type(arguments[0]),))
    raise QueryFailed(
        Code.NOT_IMPLEMENTED, f"Type {text} cannot be sent as Native of this client_protocol_version; CAST it to String"
    )


def _simple(name: str, arguments: tuple[str, ...]) -> Type | None:
    if name == "String":
        return _STRING
    if name == "FixedString":
        return Type("fixed", int(arguments[0]))
    if name == "Decimal":
        return Type("fixed", next(width for digits, width in _DECIMALS if int(arguments[0]) <= digits))
    width = 8 if name.startswith("Interval") else 1 if name == "Tuple" and not arguments else _WIDTHS.get(name)
    return None if width is None else Type("fixed", width)


def _arguments(text: str) -> tuple[str, ...]:
    """What stands between the brackets of `(a, b)`."""
    return outer_parts(text[1:-1]) if text.startswith("(") and text != "()" else ()


def outer_parts(text: str) -> tuple[str, ...]:
    """`text` cut at the commas outside brackets and quotes: `UInt8, Map(String, UInt8)` are two."""
    cuts = [token.end for token in tokens(text) if token.depth == 0 and token.says(",")]
    edges = zip([0, *cuts], [*(cut - 1 for cut in cuts), len(text)], strict=True)
    return tuple(text[start:end].strip() for start, end in edges)


def _unnamed(element: str) -> str:
    """The type of a tuple's element, which may have a name: `a UInt8`."""
    words: list[Token] = list(tokens(element))
    named = len(words) > 1 and words[1].text != "("
    return element[words[1].start :] if named else element
