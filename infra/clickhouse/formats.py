"""Output formats: their content types, as a ClickHouse server names them."""

from __future__ import annotations

from typing import Final

DEFAULT_FORMAT: Final = "TabSeparated"

_JSON = "application/json; charset=UTF-8"
_LINES = "application/x-ndjson; charset=UTF-8"
_TSV = "text/tab-separated-values; charset=UTF-8"
_CONTENT_TYPES: Final = {
    "xml": "application/xml; charset=UTF-8",
    "native": "application/octet-stream",
    "parquet": "application/octet-stream",
    "arrow": "application/octet-stream",
    "arrowstream": "application/octet-stream",
    "avro": "application/octet-stream",
    "orc": "application/octet-stream",
    "msgpack": "application/octet-stream",
    "npy": "application/octet-stream",
    "bsoneachrow": "application/octet-stream",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "csvwithnamesandtypes": "text/csv; charset=UTF-8; header=present",
}


def content_type(format_name: str) -> str:
    """The Content-Type of an answer in this format; plain text for formats that have none of their own."""
    name = format_name.lower()
    if known := _CONTENT_TYPES.get(name):
        return known
    if name.startswith("rowbinary"):
        return "application/octet-stream"
    if "eachrow" in name or name in ("jsonlines", "ndjson"):
        return _LINES
    if name.startswith("json"):
        return _JSON
    return _TSV if name.startswith(("tabseparated", "tsv")) else "text/plain; charset=UTF-8"
