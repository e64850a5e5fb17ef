"""How a labelling campaign gets on."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from observability.boards import board, id_variable
from observability.panels import bars, lines, number, ranking, rows
from observability.sources import Sql, queries


def dashboard() -> Dashboard:
    sql = queries("campaign")
    made = board("Campaign", "annals-campaign", "Progress, throughput, working time and what is still to do.")
    for name, label in (("project", "Project"), ("task", "Task"), ("user", "Person")):
        made.with_variable(id_variable(name, label))
    made.with_panel(number("Accepted", Sql(sql["progress"]), "percentunit", "Accepted jobs, of all that there are."))
    made.with_panel(number("Jobs to go", Sql(sql["remaining"]), "short", "Jobs that are not accepted yet."))
    made.with_panel(number("Jobs accepted", Sql(sql["accepted"]), "short", "In this time."))
    made.with_panel(
        number("Finished by", Sql(sql["eta"]), "dateTimeAsIso", "If people go on as they did in this time.")
    )
    made.with_panel(number("Hours worked", Sql(sql["hours"]), "short", "As the clients of people report."))
    made.with_panel(number("Objects", Sql(sql["objects"]), "short", "Shapes, tracks and tags."))
    _progress(made)
    _people(made)
    _labels(made)
    return made


def _progress(made: Dashboard) -> None:
    sql = queries("campaign")
    made.with_row(Row("Progress"))
    made.with_panel(
        lines("Jobs so far", [Sql(sql["burn_up"], True)], "short", "Created, annotated and accepted by then.")
    )
    made.with_panel(bars("Jobs completed", [Sql(sql["throughput"], True)], "short", "Per interval, by stage."))
    made.with_panel(ranking("Where the jobs are", Sql(sql["states"]), "short", "By stage and state, now."))
    made.with_panel(
        rows(
            "Time in each state", Sql(sql["stage_times"]), "Of the states that jobs have left.",
            {"median": "s", "95 %": "s", "longest": "s"}, width=8, height=8,
        )
    )  # fmt: skip
    made.with_panel(
        lines(
            "From created to accepted", [Sql(sql["to_acceptance"], True)], "s", "By when the job was accepted.", width=8
        )
    )
    made.with_panel(
        rows("Tasks", Sql(sql["tasks"]), "Those with most to do first.", {"progress": "percentunit"}, height=8)
    )


def _people(made: Dashboard) -> None:
    sql = queries("campaign")
    made.with_row(Row("People"))
    worked = [Sql(sql["working_time"], True)]
    made.with_panel(bars("Working time", worked, "h", "Per day, by person.", width=10, height=10))
    made.with_panel(
        rows(
            "What each person did", Sql(sql["people"]), "In this time.",
            {"hours": "h", "objects per hour": "short"}, width=14, height=10,
        )
    )  # fmt: skip


def _labels(made: Dashboard) -> None:
    sql = queries("campaign")
    made.with_row(Row("Labels"))
    made.with_panel(ranking("Objects by label", Sql(sql["labels"]), "short", "That stand now.", width=10))
    made.with_panel(bars("Objects drawn", [Sql(sql["labels_drawn"], True)], "short", "By label.", width=14))
