"""Whether what was inserted is on disk.

chdb 26.9 goes on when writing a part's file fails (ENOSPC, EFBIG), and acknowledges an insert that is cut off. The
engine keeps away from a disk that is nearly full (Limits.free_space), but others fill disks too: so after each insert
the sizes of the new parts' files are compared with what the engine thinks it wrote.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from infra.clickhouse.engine import DATABASE, Connection
from infra.clickhouse.errors import Code, QueryFailed

logger = logging.getLogger(__name__)

_NEW_PARTS: Final = """
    SELECT toJSONString((database, table, name, path, bytes_on_disk)) FROM system.parts
    WHERE active AND min_block_number = max_block_number AND rows > 0
        AND modification_time >= fromUnixTimestamp({since:Int64})
"""
"""Those of one insert: others were merged from several. An insert may have merged its own rows, so the level does not
tell. Parts of which a deletion left nothing have empty files.
"""

_COUNTED: Final = frozenset({"count.txt", "ttl.txt"})
"""The text files whose sizes the engine counts among the part's."""

_LEFT: Final = """
    SELECT path FROM system.detached_parts
    WHERE database = {database:String} AND (reason != '' OR min_block_number = max_block_number)
"""
"""Of our tables, which can be filled again from the log: those that the engine set aside at its start, for they were
cut off; and of one insert, which was refused by an earlier version of this module. What somebody detached by hand was
merged before, as a rule, and stays.
"""


class _Part(NamedTuple):
    database: str
    table: str
    name: str
    path: str
    size: int


def require_whole(connection: Connection, since: float) -> None:
    """Looks at the parts that came since this time (seconds, of the clock). Raises QueryFailed 243 when one is cut off,
    which is then dropped, so that the same insert can be sent again, under the same deduplication token too.
    """
    broken = [part for part in _new_parts(connection, int(since)) if _is_cut_off(part)]
    for part in broken:
        logger.error("Part %s of %s.%s was not written to its end: dropped", part.name, part.database, part.table)
        values = {"database": part.database, "table": part.table, "part": part.name}
        connection.run("ALTER TABLE {database:Identifier}.{table:Identifier} DROP PART {part:String}", values)
    if broken:
        raise QueryFailed(Code.NOT_ENOUGH_SPACE, "The data could not be written to its end: the disk may be full")


def sweep(connection: Connection) -> None:
    """At the start, while nobody writes: parts that were cut off, which nothing reads any more, are removed."""
    for path in connection.value(_LEFT, {"database": DATABASE}).splitlines():
        logger.warning("Removing %s, which was not written to its end", path)
        shutil.rmtree(path, ignore_errors=True)


def _new_parts(connection: Connection, since: int) -> list[_Part]:
    lines = connection.value(_NEW_PARTS, {"since": str(since)}).splitlines()
    return [_Part(*orjson.loads(line)) for line in lines]


def _is_cut_off(part: _Part) -> bool:
    try:
        files = {file.name: file.stat().st_size for file in Path(part.path).iterdir() if file.is_file()}
    except FileNotFoundError:  # merged or dropped meanwhile
        return False
    written = sum(size for name, size in files.items() if name in _COUNTED or not name.endswith(".txt"))
    return written < part.size
