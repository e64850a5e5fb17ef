"""Who does which processing work. A new kind of work is added here, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

from consumers.handlers.create_task import create_task
from consumers.handlers.handler import Handler

HANDLERS: Mapping[str, Handler] = {"create:task": create_task}
"""By the operation's type, as clients see it: the action, and the subresource or the target."""
