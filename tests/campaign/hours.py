"""When people work: days of their own length with a lunch break, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

WORKING_SECONDS = 8.25 * 3600
"""Of a day, without the break."""


@dataclass(frozen=True)
class Hours:
    """Of one person, for a campaign of some days that starts in the morning of the first."""

    days: tuple[tuple[datetime, datetime, datetime, datetime], ...]
    """Morning, lunch, the end of lunch, evening."""

    @classmethod
    def of(cls, start: datetime, days: int, random: Random) -> Hours:
        def day(number: int) -> tuple[datetime, datetime, datetime, datetime]:
            morning = start + timedelta(days=number, minutes=random.uniform(0, 30))
            lunch = start + timedelta(days=number, hours=4, minutes=random.uniform(-20, 20))
            evening = start + timedelta(days=number, hours=9, minutes=random.uniform(-15, 15))
            return morning, lunch, lunch + timedelta(minutes=random.uniform(35, 50)), evening

        return cls(tuple(day(number) for number in range(days)))

    def after(self, now: datetime, seconds: float) -> datetime | None:
        """When `seconds` of work in one piece are done that can begin now; None: not in this campaign any more."""
        work = timedelta(seconds=seconds)
        for morning, lunch, afternoon, evening in self.days:
            for begin, end in ((morning, lunch), (afternoon, evening)):
                if max(now, begin) + work <= end:
                    return max(now, begin) + work
        return None
