"""Where in which object store, as a URL: `s3://bucket/prefix?endpoint=https://host:9000&region=eu-central-1`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from domain.errors import Invalid

BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
FOLDER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
OPTIONS = ("endpoint", "region")


@dataclass(frozen=True, slots=True)
class Location:
    """`prefix`: begins every key, without slashes around it. `endpoint`: None is Amazon's. `region`: None is what the
    environment says.
    """

    bucket: str
    prefix: str
    endpoint: str | None
    region: str | None

    def below(self, folder: str) -> Location:
        return replace(self, prefix=f"{self.prefix}/{folder}" if self.prefix else folder)


def parse_location(url: str) -> Location:
    """Raises Invalid, in words that don't repeat the URL: somebody may have put a secret into it."""
    parts = urlsplit(url)
    if parts.scheme != "s3" or parts.fragment:
        raise Invalid("The URL of a blob store is s3://bucket/prefix?endpoint=https://host:9000&region=…")
    if "@" in parts.netloc:
        raise Invalid("A blob store's URL holds no credentials: AWS_ACCESS_KEY_ID and the like tell them")
    if not BUCKET.fullmatch(parts.netloc):
        raise Invalid("A blob store's URL names a bucket: s3://bucket/prefix")
    folders = [folder for folder in parts.path.split("/") if folder]
    if not all(map(FOLDER.fullmatch, folders)):
        raise Invalid("The prefix in a blob store's URL has letters, digits, dots, - and _ only")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := options.keys() - set(OPTIONS):
        raise Invalid(f"A blob store's URL may have endpoint and region; not {', '.join(sorted(unknown))}")
    endpoint = options.get("endpoint")
    if endpoint is not None and not _is_server(endpoint):
        raise Invalid("The endpoint in a blob store's URL is https://host or http://host, with a port if need be")
    return Location(parts.netloc, "/".join(folders), endpoint and endpoint.rstrip("/"), options.get("region"))


def _is_server(endpoint: str) -> bool:
    parts = urlsplit(endpoint)
    try:
        port_is_right = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and port_is_right
        and parts.path in ("", "/")
        and not (parts.username or parts.password or parts.query or parts.fragment)
    )
