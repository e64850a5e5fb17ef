"""Who may see the dashboard's charts, how they may be asked for, and what the page may do."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from api.dashboards.charts import CAMPAIGN, OPERATIONS
from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.reader import ClickHouseReader

from ..ports import free_port
from .conftest import Server
from .dashboards import Site, site
from .shared import head

__all__ = ["site"]

ANN, BOB = ("ann", "correct horse"), ("bob", "correct horse")
CHARTS = sorted(CAMPAIGN | OPERATIONS)
STATIC = Path(__file__).parents[2] / "api" / "static" / "dashboard"


@pytest.fixture(scope="module", autouse=True)
def people(site: Site) -> None:
    for credentials in (ANN, BOB):
        site.server.add_user(credentials)


class TestWhoMaySee:
    @pytest.mark.parametrize("name", CHARTS)
    def test_nobody_sees_anything_without_a_login(self, site: Site, name: str) -> None:
        assert site.ask(name, None).status_code == 401

    @pytest.mark.parametrize("name", CHARTS)
    def test_who_is_no_admin_does_not_see_everything(self, site: Site, name: str) -> None:
        assert site.ask(name, ANN).json() == {"detail": "You do not have permission to perform this action."}
        assert site.ask(name, ANN, project_id=1, task_id="").status_code == 403

    def test_the_state_is_for_admins(self, site: Site) -> None:
        url = f"{site.server.url}/api/dashboard/state"
        assert httpx.get(url, auth=ANN).status_code == 403
        assert httpx.get(url).status_code == 401

    def test_staff_sees_the_campaign_of_its_own_project_and_task(self, site: Site) -> None:
        ann = site.server.http(ANN)
        project = ann.post("/api/projects", json={"name": "birds"}).json()["id"]
        task = ann.post("/api/tasks", json={"name": "wings", "project_id": project}).json()["id"]
        for place in ({"project_id": project}, {"task_id": task}, {"project_id": project, "task_id": task}):
            assert {site.ask(name, ANN, **place).status_code for name in CAMPAIGN} == {200}
            assert {site.ask(name, ANN, **place).status_code for name in OPERATIONS} == {403}
            assert {site.ask(name, BOB, **place).status_code for name in CHARTS} == {403}
        assert site.ask("people", ANN, project_id=1, task_id=task).json()["rows"] == []
        assert site.ask("people", ANN, project_id=project, task_id=1).status_code == 403
        assert site.ask("people", ANN, project_id=987_654).status_code == 404


class TestHostileQuestions:
    @pytest.mark.parametrize(
        ("field", "value"),
        [(field, value) for field in ("from", "to")
         for value in ("yesterday", "1", "2026-13-01", "' OR 1=1 --", "0001-01-01T00:00:00+14:00", "\0")]
        + [(field, value) for field in ("project_id", "task_id")
           for value in ("-1", "1.5", "x", "1 OR 1=1", "1); DROP TABLE x", "9" * 30, "{task:UInt64}", "\0", "²")],
    )  # fmt: skip
    def test_a_wrong_value_is_refused_by_its_name(self, site: Site, field: str, value: str) -> None:
        answer = site.ask("people", **{field: value})
        assert answer.status_code == 400, answer.text
        (name,) = answer.json()
        assert name == field
        assert all(isinstance(text, str) for text in answer.json()[field])

    def test_who_is_not_known_is_not_told_what_is_wrong(self, site: Site) -> None:
        assert site.ask("people", None, task_id=-1).status_code == 401
        assert site.ask("people", task_id=-1).status_code == 400

    @pytest.mark.parametrize(
        ("since", "until"),
        [("2026-11-10T00:00:00Z", "2026-11-09T00:00:00Z"), ("2026-11-10", "2026-11-10"), ("9999-12-31", "")],
    )
    def test_a_time_that_is_none_is_refused(self, site: Site, since: str, until: str) -> None:
        answer = site.ask("activity", **{"from": since, "to": until})
        assert (answer.status_code, list(answer.json())) == (400, ["from"])

    @pytest.mark.parametrize(
        "name", ["known", "job_steps", "events", "people;", "SELECT 1", "parts", "__init__", "%00"]
    )
    def test_there_are_no_other_charts(self, site: Site, name: str) -> None:
        assert (site.ask(name).status_code, site.ask(name).json()) == (404, {"detail": "Not found."})

    def test_statements_of_a_client_are_not_looked_at(self, site: Site) -> None:
        found = site.chart("span", query="SELECT 1", statement="SELECT 1", param_until="0", database="system")
        assert found == site.chart("span")

    @pytest.mark.parametrize("since", ["0001-01-01", "1970-01-01", "2026-11-09T08:00:00.123456+05:30"])
    def test_a_series_is_never_long(self, site: Site, since: str) -> None:
        chart = site.chart("activity", **{"from": since})
        assert 1 < len(chart["rows"]) <= 180
        times = [row[0] for row in chart["rows"]]
        assert times == list(range(chart["from"], chart["to"], chart["step"]))


class TestWithoutClickHouse:
    def test_it_is_told(self, server: Server) -> None:
        answer = server.http().get("/api/dashboard/charts/people", params={"from": "2026-11-20"})
        assert answer.status_code == 503
        assert answer.json() == {"detail": "There are no charts of the past: this server has no ClickHouse."}

    def test_while_it_is_away_the_state_is_still_there(self, server: Server) -> None:
        server.services.clickhouse = ClickHouseReader(f"http://127.0.0.1:{free_port()}")
        answer = server.http().get("/api/dashboard/charts/people")
        assert (answer.status_code, answer.json()) == (503, {"detail": "ClickHouse does not answer."})
        assert "Retry-After" in answer.headers
        assert server.http().get("/api/dashboard/state").json()["position"] == head(server)

    def test_before_anything_was_forwarded_and_after_it_came_back(self, server: Server, tmp_path: Path) -> None:
        with EndpointProcess(tmp_path, "secret") as endpoint:
            server.services.clickhouse = ClickHouseReader(f"http://127.0.0.1:{endpoint.port}")
            with closing(server.services.clickhouse):
                http = server.http()
                first = http.get("/api/dashboard/charts/people")
                endpoint.stop()
                away = http.get("/api/dashboard/charts/people")
                endpoint.start()
                again = http.get("/api/dashboard/charts/people")
        none = {"detail": "ClickHouse has no events yet: `annals forward` makes its tables."}
        assert [first.json(), away.json(), again.json()] == [none, {"detail": "ClickHouse does not answer."}, none]


class TestPage:
    def test_it_runs_nothing_but_its_own(self, site: Site) -> None:
        answer = httpx.get(f"{site.server.url}/dashboard")
        policy = answer.headers["content-security-policy"]
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert {"default-src 'none'", "script-src 'self'", "connect-src 'self'"} <= set(policy.split("; "))
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-cache"
        for path in re.findall(r'(?:href|src)="(/[^"]+)"', answer.text):
            file = httpx.get(f"{site.server.url}{path}")
            assert (file.status_code, file.headers["cache-control"]) == (200, "no-cache"), path

    def test_nothing_comes_from_elsewhere(self) -> None:
        for file in [*STATIC.glob("*.js"), *STATIC.glob("*.css"), *STATIC.glob("*.html")]:
            addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+\S*", file.read_text()))
            assert addresses <= {'//www.w3.org/2000/svg",', 'http://www.w3.org/2000/svg",'}, file

    def test_the_library_has_its_licence_and_version(self) -> None:
        assert "MIT" in (STATIC / "uplot" / "LICENSE").read_text()
        assert "(v1.6.32)" in (STATIC / "uplot" / "uPlot.esm.js").read_text()[:400]
