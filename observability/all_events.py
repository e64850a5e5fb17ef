"""Every row of the table `events`: on the model of the dashboard of that name that comes with CVAT."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.dashboard import GridPos

from observability.boards import board, id_variable, text_variable
from observability.panels import bars, ranking, rows
from observability.sources import Sql, queries


def dashboard() -> Dashboard:
    sql = {name: Sql(statement) for name, statement in queries("all_events").items()}
    made = board("All events", "annals-all-events", "Everything that happened, in CVAT's columns and scopes.")
    for name, label in (("scope", "Scope"), ("source", "Source")):
        made.with_variable(text_variable(name, label))
    for name, label in (("project", "Project"), ("task", "Task"), ("job", "Job"), ("user", "Person")):
        made.with_variable(id_variable(name, label))
    activity = Sql(queries("all_events")["activity"], True)
    made.with_panel(bars("Activity", [activity], "short", "Rows per interval, by verb.", width=24, height=7))
    made.with_panel(ranking("Scopes", sql["scopes"], "short", "Rows of each.", width=8, height=10))
    made.with_panel(ranking("Browsers", sql["browsers"], "short", "People by browser.", width=8, height=5))
    made.with_panel(
        rows("Durations", sql["durations"], "Of what takes time.",
             {"average": "ms", "95 %": "ms", "longest": "ms"}, width=8, height=10)
    )  # fmt: skip
    systems = ranking("Operating systems", sql["systems"], "short", "People by operating system.", width=8, height=5)
    made.with_panel(systems.grid_pos(GridPos(h=5, w=8, x=8, y=12)))
    every = rows("Rows", sql["all"], "The last 1,000.", height=16)
    made.with_panel(every.grid_pos(GridPos(h=16, w=24, x=0, y=17)))
    return made
