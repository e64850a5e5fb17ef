"""Who does which processing work. A new kind of work is added here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from consumers.handlers.create_task import create_task
from consumers.handlers.export_dataset import export_dataset
from consumers.handlers.export_events import export_events
from consumers.handlers.handler import Handler
from consumers.handlers.import_annotations import import_annotations
from consumers.handlers.import_dataset import import_dataset

HANDLERS: Mapping[str, Handler] = {
    "create:task": create_task,
    "export:annotations": export_dataset,
    "export:dataset": export_dataset,
    "export:events": export_events,
    "import:annotations": import_annotations,
    "import:dataset": import_dataset,
}
"""By the operation's type, as clients see it: the action, and the subresource or the target."""
