"""The reference of what analysts query, from the migrations and the transforms."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from consumers.forwarder.transform.scopes import SCOPES, Scope
from domain.events.annotations import MAX_OBJECTS
from domain.events.telemetry import ACTIVITY
from domain.telemetry import CLIENT_SCOPES, LONGEST, OLDEST
from infra.clickhouse.described import Relation, relations

FOREWORD = """\
The forwarder turns every event of the log into rows of the table `events` in ClickHouse: CVAT's columns and scopes
first, so that what was made for CVAT's table works on this one. Beside it are tables of what is asked for most, each
filled as rows come into `events`, and views that answer a question in one SELECT. All are in the database `cvat`.
[Query the analytics](../how-to/query-the-analytics.md) shows how.

Every event is there exactly once. Should a row have been written twice, `ReplacingMergeTree` drops one of them at some
time: read a table with `FINAL` to see it once in any case. Views do.

Times are in UTC. Ids are those of the REST API.
"""

COMMON = """\
What every row has beside the columns below: `source`, `timestamp`, the user's and the organization's columns, the
project, task and job it happened in as far as the event tells, and in its payload `request`: the `id` that all rows of
one request share, the client's `user_agent`, and Annals' own `source` (what it came through).

A change of several fields has a row for each. Of an event with more than 65,535 rows the last are put together by
scope, counted, with their `ids` in the payload. A `count` that is larger than 65,535 is NULL, and the payload has it;
in what clients and servers tell of themselves it is 65,535 then, and nothing has it.

What came into being is told in the words of the API's documents, without its id, what `obj_name` says, addresses, and
what it is made of: labels have rows of their own. An event knows the id of an owner or assignee, and no more of them;
what it does not know is left out. `assignee_id` of `create:job` is our own.

`visible_shapes_count_diff` of a track is by how many frames of its job it shows on more than before: on those from each
keyframe that is not `outside` to the next one, or to the job's last frame; a skeleton shows where one of its points
does. A new track has them all, one that goes as many below zero, so that the sum over a job is what shows in it, with
what is under deleted labels. Only of two saves of one track in the same instant both may tell the difference to what
stood before them.

An event says what it said when it was recorded. Events from before the release that brought these have no
`visible_shapes_count_diff`, no `user_email`, no `stack` of an agent's failure, no ids of what a cleared or replaced job
held, and no rows of the issues, comments and access tokens that went with something else, of what an upload changed in
its task, nor of `is_staff`, `is_superuser` and `has_analytics_access` beside that of `groups`. Where a cleared or
replaced job held more than {objects} objects of one kind and type, these are counted and not named.

`user_email` is the address that whoever acted had then; the view `users` has today's. Who wants no addresses in rows
takes them out on the way (`redact`, [topology](topology.md#transforms)): from rows that are there, only a rebuild does.
The `stack` of an agent's failure names places in the program and kinds of errors; what errors say is not in it.

What CVAT's rows have and these have not: what agents do for a request has no `access_token_id`. Its `correlation_id`
leads to the request, which has.
"""

CLIENTS = """\
Clients send their own scopes, which stand as they were sent, with `source` = `client`: {scopes}. Any other is refused.
`{activity}` only counts as time worked and has no row.

Time is worked as CVAT reckons it (a pause of 100 seconds or more is none), within bounds: `duration` is less than 2^32
milliseconds, of which a `change:frame` counts for at most {longest} hours, and events from more than {oldest} days
before the report, or more than {longest} hours behind it, count as if they had happened just then. Times of events are
recorded as no older than {oldest} days and not of the future.
"""


def page(generated: str) -> str:
    tables = [relation for relation in relations() if relation.kind == "table"]
    views = [relation for relation in relations() if relation.kind == "view"]
    lines = ["# Analytics\n", generated, FOREWORD, "## Tables\n"]
    lines += [line for relation in tables for line in _relation(relation)]
    lines += ["## Views\n", *(line for relation in views for line in _relation(relation))]
    lines += ["## Scopes\n", COMMON.format(objects=f"{MAX_OBJECTS:,}"), *_scopes()]
    lines += ["### Of clients\n", _clients()]
    return "\n".join(lines)


def _relation(relation: Relation) -> Iterator[str]:
    yield f"### `{relation.name}`\n"
    order = f" Sorted by {relation.order}." if relation.order else ""
    yield f"{relation.comment}.{order}\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in relation.columns:
        yield f"| `{column.name}` | `{column.type}` | {column.comment} |"
    yield ""


def _scopes() -> Iterator[str]:
    for origin, title in (("CVAT", "As CVAT has them"), ("Annals", "Annals' own")):
        yield f"### {title}\n"
        yield "| scope | meaning | obj_name | obj_id | obj_val | count | payload | events |"
        yield "|---|---|---|---|---|---|---|---|"
        yield from (_scope(scope) for scope in SCOPES if scope.origin == origin)
        yield ""


def _scope(scope: Scope) -> str:
    payload = ", ".join(f"`{key}`" for key in scope.payload)
    events = ", ".join(f"[{name}](../events.md#{name.lower()})" for name in scope.events)
    cells = (scope.meaning, scope.obj_name, scope.obj_id, scope.obj_val, scope.count, payload, events)
    return f"| `{scope.name}` | {' | '.join(cells)} |"


def _clients() -> str:
    scopes = ", ".join(f"`{scope}`" for scope in sorted(CLIENT_SCOPES - {ACTIVITY}))
    bounds = {"longest": LONGEST // timedelta(hours=1), "oldest": OLDEST.days}
    return CLIENTS.format(scopes=scopes, activity=ACTIVITY, **bounds)
