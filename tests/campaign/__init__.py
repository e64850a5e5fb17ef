"""A labelling campaign, simulated: THE way to get a log that is long, full of everything, and known beforehand.

    from ..campaign import simulate

    summary = simulate(system, people=20, days=3, events=20_000, seed=1)

records into the log of `system` (the fixture of that name, or `cli.bootstrap.connect(url)`; it must be EMPTY) what
`people` annotators and reviewers, a manager and the agents do in `days` working days: about `events` events (`summary`
has the exact number), at a rate of some thousands a second. The events are those of the product, decided by its domain
wherever a rule matters, and go through its recorder, so that all projections are filled, too. Their times are those
of the campaign: Monday 2026-11-09, 08:00 UTC and after, or `start`. The same arguments give the same history.

`summary` (see `Summary`) holds what somebody who counts must find: jobs finished by each person, objects drawn under
each label, working time, requests, failures, logins ….

    python -m tests.campaign URL --people 100 --days 3 --events 1000000

does the same with a database that `annals migrate` has made ready.
"""

from .simulate import START, simulate
from .summary import Summary

__all__ = ["START", "Summary", "simulate"]
