"""Archives that were uploaded: listed and read within bounds, never unpacked into a folder.

Modules: `members` (which names and sizes are accepted), `zips`, `tars`, `opening` (either).
"""

from infra.archives.members import Archive, Bounds
from infra.archives.opening import open_archive

__all__ = ["Archive", "Bounds", "open_archive"]
