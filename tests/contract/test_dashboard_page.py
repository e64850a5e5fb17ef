"""The dashboard's page in a browser: in light and dark, on a desk and on a phone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from consumers.bookmark import Bookmark
from consumers.forwarder.checkpoint import CONSUMER
from domain.events.annotations import AnnotationsChanged
from infra.clickhouse.reader import ClickHouseReader
from infra.postgres import verifications

from .chromium import Tab, chromium
from .conftest import ADMIN, Server
from .dashboards import Site, site

__all__ = ["site"]

SHOWN = "document.querySelector('#charts')?.dataset.turn"
ANN = ("ann", "correct horse")
PANELS = {"campaign": 7, "operations": 11}
LOG_IN = """
(([username, password]) => {
    const form = document.querySelector("form.login");
    form.elements.username.value = username;
    form.elements.password.value = password;
    form.requestSubmit();
})(%s)
"""
TEXTS = "[...document.querySelectorAll('%s')].map((element) => element.textContent.trim())"
BEYOND = """
Object.fromEntries([...document.querySelectorAll(".panel:has(.scroll)")].map((panel) => {
    const edge = panel.querySelector(".scroll").getBoundingClientRect().right + 0.5;
    const headings = [...panel.querySelectorAll(".scroll thead th")];
    const shown = headings.map((th) => (th.getBoundingClientRect().right <= edge ? th.textContent : ""));
    return [panel.querySelector("h2").textContent, shown];
}))
"""
"""Panel -> the titles of its columns, empty for those that are not within it."""
INKED = """
[...document.querySelectorAll(".plot canvas")].map((canvas) => {
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const colours = new Set();
    for (let at = 0; at < pixels.length; at += 4)
        if (pixels[at + 3] > 250) colours.add(pixels.slice(at, at + 3).join());
    return colours.size;
})
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    with chromium() as tab:
        # It asks anew when a test does so, and not by itself in the middle of a logout, which it would be refused.
        tab.at_each_page("window.setInterval = () => 0;")
        yield tab


@pytest.fixture
def tab(browser: Tab, site: Site) -> Iterator[Tab]:
    """Nobody is logged in. At the end, nothing has gone wrong that the test did not look at."""
    browser.forget_cookies()
    browser.show_as(1280, 900)
    browser.open(f"{site.server.url}/dashboard")
    browser.wait_for("document.querySelector('form.login')")
    yield browser
    browser.open("about:blank")  # what it has still to ask for would be refused once it is logged out
    assert browser.complaints == []


def log_in(tab: Tab, credentials: tuple[str, str] = ADMIN) -> None:
    tab.run(LOG_IN % list(credentials))
    tab.wait_for(SHOWN)


def show(tab: Tab, site: Site, query: str) -> None:
    tab.open(f"{site.server.url}/dashboard?{query}")
    tab.wait_for(SHOWN)


@pytest.mark.parametrize("view", ["campaign", "operations"])
@pytest.mark.parametrize(
    ("width", "height", "scheme"), [(1280, 900, "light"), (1280, 900, "dark"), (390, 844, "light"), (360, 740, "dark")]
)
def test_everything_is_drawn(tab: Tab, site: Site, view: str, width: int, height: int, scheme: str) -> None:
    log_in(tab)
    tab.show_as(width, height, scheme)
    show(tab, site, f"range=all&view={view}")
    assert tab.run("document.documentElement.dataset.theme") == scheme
    assert tab.run("document.documentElement.scrollWidth") == width
    assert len(tab.run(TEXTS % ".panel h2")) == PANELS[view]
    assert "Not to be had at the moment." not in tab.run(TEXTS % ".empty")
    inked = tab.run(INKED)
    assert len(inked) >= 3
    assert all(colours >= 3 for colours in inked)
    assert tab.run("document.querySelectorAll('.tile').length") >= 6


@pytest.mark.parametrize(("width", "columns"), [(1920, 5), (1280, 5), (390, 2), (360, 2)])
def test_the_first_columns_need_no_scrolling(tab: Tab, site: Site, width: int, columns: int) -> None:
    """On a desk all of them, on a phone at least what went wrong and how often."""
    database, findings = site.server.system.database, [{"subject": "ClickHouse", "difference": None}]
    verifications.remember(database, datetime.now(UTC), 9, findings, scope="clickhouse")
    with database.connect() as connection:
        Bookmark(connection, CONSUMER).move(3)
    log_in(tab)
    tab.show_as(width, 900)
    show(tab, site, "range=all&view=operations")
    tab.run(f"document.querySelector('[data-chart=messages] tbody th span').textContent = 'undefined.{'long' * 30}'")
    beyond = tab.run(BEYOND)
    assert beyond["What went wrong"][:columns] == ["Message", "Times", "Last (UTC)", "People", "Where"][:columns]
    assert {"Followers of the log", "Verifications", "Queues now"} <= beyond.keys()
    if width >= 1280:
        assert all("" not in titles for titles in beyond.values()), beyond


def test_its_numbers_are_those_of_the_campaign(tab: Tab, site: Site) -> None:
    log_in(tab)
    show(tab, site, "range=all")
    tiles = dict(tab.run("[...document.querySelectorAll('.tile')].map((tile) => [...tile.children].slice(0, 2)"
                         ".map((part) => part.textContent))"))  # fmt: skip
    assert tiles["Annotations made"] == f"{site.summary.objects_created.total():,}"
    assert tiles["People"] == str(len(site.chart("people")["rows"]))
    rows = tab.run(TEXTS % "[data-chart=labels] tbody th")
    assert sorted(rows) == sorted(label for label, number in site.summary.objects_created.items() if number)


def test_each_chart_over_time_is_also_a_table(tab: Tab, site: Site) -> None:
    log_in(tab)
    show(tab, site, "range=all")
    tab.run("document.querySelector('[data-chart=throughput] summary').click()")
    tab.wait_for("document.querySelector('[data-chart=throughput] tbody')")
    chart = site.chart("throughput")
    wanted = [row for row in chart["rows"] if any(row[1:])]
    assert tab.run("document.querySelectorAll('[data-chart=throughput] tbody tr').length") == len(wanted)
    assert set(tab.run(TEXTS % "[data-chart=throughput] thead th")[1:]) == set(chart["columns"][1:])


def test_the_keyboard_moves_through_a_chart(tab: Tab, site: Site) -> None:
    log_in(tab)
    show(tab, site, "range=all")
    when = "document.querySelector('[data-chart=progress] .when').textContent"
    before = tab.run(when)
    tab.run("document.querySelector('[data-chart=progress] .plot').focus()")
    tab.press("ArrowLeft")
    tab.wait_for(f"{when} !== {before!r}")
    latest = tab.run(when)
    tab.press("ArrowLeft")
    tab.wait_for(f"{when} !== {latest!r}")


def test_what_is_chosen_stays_after_a_reload(tab: Tab, site: Site) -> None:
    log_in(tab)
    tab.run("document.querySelector('input[value=\"30d\"]').click()")
    tab.run("[...document.querySelectorAll('#tools button')].find((button) => /Dark/.test(button.textContent)).click()")
    tab.run(
        "[...document.querySelectorAll('nav button')].find((button) => /Operations/.test(button.textContent)).click()"
    )
    address = tab.run("location.search")
    assert {"range=30d", "theme=dark", "view=operations"} == set(address.removeprefix("?").split("&"))
    show(tab, site, address.removeprefix("?"))
    assert tab.run("document.querySelector('nav [aria-current]').textContent") == "Operations"
    assert tab.run("document.querySelector('input:checked').value") == "30d"
    assert tab.run("document.documentElement.dataset.theme") == "dark"


def test_a_time_without_events_says_where_they_are(tab: Tab, site: Site) -> None:
    log_in(tab)
    show(tab, site, "range=1h")
    assert "Nothing happened in the last hour" in tab.run(TEXTS % "#notice")[0]
    tab.run("document.querySelector('#notice button').click()")
    tab.wait_for("document.querySelector('[data-chart=throughput] canvas')")
    tab.wait_for("document.querySelector('#notice').textContent === ''")


def test_a_wrong_password_and_a_logout(tab: Tab, site: Site) -> None:
    tab.run(LOG_IN % ["admin", "wrong"])
    tab.wait_for("document.querySelector('.problem').textContent")
    assert tab.run(TEXTS % ".problem") == ["Unable to log in with provided credentials."]
    assert len(tab.complaints) == 1  # a browser writes each refusal to its console
    tab.complaints.clear()
    log_in(tab)
    tab.run(
        "[...document.querySelectorAll('#tools button')].find((button) => /Log out/.test(button.textContent)).click()"
    )
    tab.wait_for("document.querySelector('form.login')")
    assert tab.run("document.cookie") == ""
    assert tab.run(TEXTS % ".panel h2") == ["Log in"]


def test_who_is_no_admin_chooses_a_project_of_theirs(tab: Tab, site: Site) -> None:
    site.server.add_user(ANN)
    project = site.server.http(ANN).post("/api/projects", json={"name": "birds"}).json()["id"]
    log_in(tab, ANN)
    assert tab.run(TEXTS % "nav button") == ["Campaign"]
    assert "Choose a project or task of yours" in tab.run(TEXTS % "#notice")[0]
    show(tab, site, f"range=all&project={project}")
    tab.wait_for(f"[...document.querySelectorAll('option')].some((option) => option.value === '{project}')")
    assert "Not to be had at the moment." not in tab.run(TEXTS % ".empty")


def test_asking_anew_keeps_the_charts(tab: Tab, site: Site) -> None:
    log_in(tab)
    show(tab, site, "range=all")
    tab.run("document.querySelectorAll('.plot canvas').forEach((canvas) => { canvas.before = true; })")
    turn = tab.run(SHOWN)
    tab.run("document.querySelector('input:checked').dispatchEvent(new Event('change'))")
    tab.wait_for(f"{SHOWN} !== '{turn}'")
    assert tab.run("[...document.querySelectorAll('.plot canvas')].every((canvas) => canvas.before)")
    assert all(colours >= 3 for colours in tab.run(INKED))


def test_a_project_that_is_chosen_is_all_that_counts(tab: Tab, site: Site) -> None:
    log_in(tab)
    show(tab, site, "range=all")
    project = next(event.body.project_id for event in site.events if isinstance(event.body, AnnotationsChanged))
    option = f"select[aria-label=Project] option[value='{project}']"
    tab.wait_for(f'document.querySelector("{option}")')
    turn = tab.run(SHOWN)
    tab.run(f'((select) => {{ select.value = "{project}"; select.dispatchEvent(new Event("change")); }})'
            '(document.querySelector("select[aria-label=Project]"))')  # fmt: skip
    tab.wait_for(f"{SHOWN} !== '{turn}'")
    wanted = {row[0]: f"{row[1]:,}" for row in site.chart("labels", project_id=project)["rows"]}
    names, numbers = (tab.run(TEXTS % f"[data-chart=labels] tbody {cell}") for cell in ("th", "td"))
    assert dict(zip(names, numbers, strict=True)) == wanted


def test_without_clickhouse_it_still_says_how_the_server_is(browser: Tab, server: Server) -> None:
    browser.forget_cookies()
    browser.open(f"{server.url}/dashboard?view=operations")
    browser.wait_for("document.querySelector('form.login')")
    log_in(browser)
    assert browser.run(TEXTS % "#notice") == ["There are no charts of the past: this server has no ClickHouse."]
    assert browser.run("document.querySelectorAll('[data-chart=agents] tbody tr').length") == 1
    assert {"503" in complaint for complaint in browser.complaints} == {True}
    browser.complaints.clear()


def test_while_clickhouse_says_nothing_it_shows_how_the_server_is(browser: Tab, server: Server) -> None:
    browser.forget_cookies()
    browser.open(f"{server.url}/dashboard?view=operations")
    browser.wait_for("document.querySelector('form.login')")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server.services.clickhouse = ClickHouseReader(f"http://127.0.0.1:{silent.getsockname()[1]}")
        browser.run(LOG_IN % list(ADMIN))
        browser.wait_for("document.querySelectorAll('[data-chart=agents] tbody tr').length")
        assert browser.run(SHOWN) is None
        assert len(browser.run(TEXTS % ".tile")) == 5
        server.services.clickhouse = None
        browser.open("about:blank")
    browser.complaints.clear()
