"""Payloads of drawn annotations without the coordinates: most of what is in a large one, and nothing to whoever only
counts what was drawn. As objects in memory, they would take many times as much as they take as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

SKIM_FROM = 1024 * 1024
"""Bytes. What is smaller is not worth it."""

PIECE = 1024 * 1024

# In a text within JSON a quotation mark stands behind a backslash, so that a comma and a bare one before a name are
# where a member begins, or the end of a text, which no name follows. Coordinates are told from the ids of removed
# shapes of the type `points` by the decimal point that one of them has.
COORDINATES = rb'"points":\[[-+0-9eE,]*\.[-+0-9eE.,]*'
MEMBER = re.compile(
    rb",(?:%s\]" % COORDINATES + rb'|"(?:attributes|elements|group|occluded|outside|rotation|source|z_order)":'
    rb'(?:\[\]|true|false|null|-?[0-9][-+0-9eE.]*|"[^"\\]*"))(?=[,}])'
)
BEGUN = re.compile(rb",%s\Z" % COORDINATES)
"""Coordinates whose end is yet to come."""

DRAWN = frozenset({"AnnotationsChanged", "AnnotationsReplaced", "AnnotationsRestored"})
"""Types of events that hold annotations."""


def skimmed(pieces: Iterable[bytes]) -> bytes:
    """JSON of a body whose type is one of DRAWN, without the coordinates and those other members of its objects that
    are a single value. All else is as it was.
    """
    kept, rest = bytearray(), b""
    for piece in pieces:
        text = rest + piece
        end = max(text.rfind(b',"'), 0)
        kept += MEMBER.sub(b"", text[:end] + b"}")[:-1] if end else b""
        rest = _shortened(text[end:])
    kept += MEMBER.sub(b"", rest)
    return bytes(kept)


def _shortened(begun: bytes) -> bytes:
    """Coordinates that will go once their end has come need not be kept until then."""
    return b',"points":[.' if BEGUN.match(begun) else begun
