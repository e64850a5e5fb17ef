"""What people share: the jobs that wait, and how they came into being."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from domain.ports import JobPlace


@dataclass
class Card:
    """A job as people know it. `drawn`: its shapes that stand, as stored."""

    place: JobPlace
    labels: list[dict[str, Any]]
    assignee_id: int | None = None
    stage: str = "annotation"
    state: str = "new"
    drawn: list[dict[str, Any]] = field(default_factory=list)
    annotator_id: int | None = None
    issues: list[int] = field(default_factory=list)
    """Ids of those that are not resolved."""

    @property
    def frames(self) -> range:
        return range(self.place.start_frame, self.place.stop_frame + 1)


@dataclass
class Board:
    """Jobs that wait for annotators, for reviewers, and for whoever drew them (by their id)."""

    new: deque[Card] = field(default_factory=deque)
    to_review: deque[Card] = field(default_factory=deque)
    returned: dict[int, deque[Card]] = field(default_factory=dict)
    accepted: int = 0
    rejected: int = 0
    done: list[Card] = field(default_factory=list)
    """The last accepted job of each task whose jobs are all accepted, in the order of that."""
    _left: dict[int, int] = field(default_factory=dict)

    def open(self, cards: list[Card]) -> None:
        """The jobs of a task."""
        self.new.extend(cards)
        self._left[cards[0].place.task_id] = len(cards)

    def accept(self, card: Card) -> None:
        self.accepted += 1
        card.drawn = []
        task_id = card.place.task_id
        self._left[task_id] -= 1
        if not self._left[task_id]:
            self.done.append(card)

    def next_for(self, user_id: int) -> Card | None:
        """What this annotator does next: what came back, else something new."""
        back = self.returned.get(user_id)
        return back.popleft() if back else self.new.popleft() if self.new else None

    def give_back(self, card: Card) -> None:
        assert card.annotator_id is not None
        self.rejected += 1
        self.returned.setdefault(card.annotator_id, deque()).append(card)
