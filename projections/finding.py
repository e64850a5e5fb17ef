"""What a verification finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was proved or refuted. `difference`: the first one, in words; None when there is none. `unknown`:
    why it could be neither proved nor refuted; None when it could.
    """

    subject: str
    measure: str
    difference: str | None = None
    unknown: str | None = None

    @property
    def equal(self) -> bool:
        return self.difference is None and self.unknown is None


def first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
