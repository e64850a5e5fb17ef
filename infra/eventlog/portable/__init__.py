"""The log as a file: JSON lines, compressed by zstd, from which an installation can be made anew.

The first line tells what the file is (`Header`), each line after it is an event, the last tells how many there were and
the SHA-256 of all lines before it (`Trailer`). Payloads stand as they are stored, in the schema version of their time:
secrets, too.
"""

from __future__ import annotations

from infra.eventlog.portable.export import Selection, export
from infra.eventlog.portable.imports import Imported, consecutive, import_log
from infra.eventlog.portable.lines import Header, PortableReader, Trailer

__all__ = ["Header", "Imported", "PortableReader", "Selection", "Trailer", "consecutive", "export", "import_log"]
