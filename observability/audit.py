"""Who did what."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from observability.boards import board, id_variable
from observability.panels import bars, number, rows
from observability.sources import Sql, queries

COUNTS = [
    ("people", "People", "Who did something in this time."),
    ("changes", "Changes", "That people made."),
    ("deleted", "Deleted", "Projects, tasks, jobs, labels, users, issues …, without what was drawn."),
    ("restored", "Restored", "Times that something came back."),
    ("logins", "Logins", "Of people."),
    ("token_uses", "Token uses", "Each access token is counted once a day."),
]


def dashboard() -> Dashboard:
    sql = {name: Sql(statement) for name, statement in queries("audit").items()}
    made = board("Audit", "annals-audit", "Who did what: changes, deletions, logins, tokens, restores.")
    made.with_variable(id_variable("user", "Person"))
    for name, title, why in COUNTS:
        made.with_panel(number(title, sql[name], "short", why))
    activity = Sql(queries("audit")["activity"], True)
    made.with_panel(bars("What people did", [activity], "short", "Changes per interval, by verb.", width=10, height=10))
    made.with_panel(rows("Who did what", sql["who"], "Changes of each kind.", width=14, height=10))
    made.with_row(Row("Gone and back"))
    made.with_panel(rows("What was deleted", sql["deletions"], "Whatever was drawn comes last.", width=14))
    made.with_panel(rows("What came back", sql["restores"], "With who brought it back.", width=10))
    made.with_row(Row("Accounts and access"))
    made.with_panel(rows("Sign-ins", sql["sign_ins"], "And where people's browsers were.", width=8))
    made.with_panel(rows("Access tokens", sql["tokens"], "Made, changed, used, revoked.", width=7))
    made.with_panel(rows("Accounts", sql["accounts"], "Made, changed, closed.", width=9))
    made.with_row(Row("Everything"))
    made.with_panel(rows("Everything that people did", sql["everything"], "The last 1,000.", height=14))
    return made
