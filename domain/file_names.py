"""Names of uploaded files: what a client calls a file is reduced to a name that is safe to keep and to show."""

from __future__ import annotations

import re
import unicodedata

from domain.errors import Invalid

MAX_BYTES = 255
SEPARATORS = re.compile(r"[/\\]")
# Control characters, and halves of characters that no UTF-8 can hold. Other invisible characters stay: a macOS
# screenshot has a narrow space in its name, and the name must still be that of the client's file.
UNWANTED = ("Cc", "Cs")


def safe_name(filename: str, field: str = "client_files") -> str:
    """The base name in what a client gives as a file name, often an absolute path of its own system.

    `/home/me/im.jpg` and `C:\\me\\im.jpg` give `im.jpg`. Control characters go; the rest is put into Unicode form NFC,
    so that a name typed on macOS equals the same name typed elsewhere.
    Errors: Invalid, under `field`, when nothing is left, on an attempt to leave the folder (`..`), or over 255 bytes.
    """
    parts = SEPARATORS.split(normal_name(filename))
    name = parts[-1]
    if ".." in (part.strip() for part in parts) or name.strip() == ".":
        raise _refused(field, f'The file name "{_shown(filename)}" is not safe.')
    if not name.strip():
        raise _refused(field, f'"{_shown(filename)}" is not the name of a file.')
    if len(name.encode()) > MAX_BYTES:
        raise _refused(field, f'The file name "{_shown(name)}" is longer than {MAX_BYTES} bytes.')
    return name


def normal_name(name: str) -> str:
    """A name, or a path, as it is compared and kept: form NFC, no control characters."""
    kept = "".join(letter for letter in name if unicodedata.category(letter) not in UNWANTED)
    return unicodedata.normalize("NFC", kept)


def _shown(name: str) -> str:
    text = normal_name(name)
    return text if len(text) <= 80 else f"{text[:40]}…{text[-30:]}"


def _refused(field: str, message: str) -> Invalid:
    return Invalid({field: [message]})
