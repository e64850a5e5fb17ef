"""Making frames and jobs of the files that were sent for a task.

Modules: `creation` (the handler), `sources` (where files come from; `shared`, `remote` and `storing` belong to it),
`pictures` and `videos` (what is made of them; `uploaded` is what they share), `layout` (how frames are cut into jobs),
`validation` (which of them annotators are checked with).
"""

from consumers.handlers.create_task.creation import create_task

__all__ = ["create_task"]
