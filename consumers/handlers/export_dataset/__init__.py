"""Writing what was annotated into a file.

Modules: `exporting` (the handler), `reading` (what is exported, from the projections), `pictures` (images of frames).
"""

from consumers.handlers.export_dataset.exporting import export_dataset

__all__ = ["export_dataset"]
