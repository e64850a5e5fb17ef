"""CVAT's web UI makes an account, and changes what it says of its owner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from . import ui
from .conftest import ADMIN, Server
from .shared import running
from .ui import Browser

ANN = ("annie", "correct horse battery")


@pytest.fixture(scope="module")
def site(postgres: str) -> Iterator[Server]:
    with running(postgres) as server:
        yield server


@pytest.fixture
def browser(site: Server) -> Iterator[Browser]:
    """At the login page."""
    browser = Browser(site.url)
    assert ui.boot(browser) is None
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def ann(site: Server) -> Any:
    """Has registered; logged in since."""
    browser = Browser(site.url)
    username, password = ANN
    account = {"username": username, "email": "annie@example.org", "first_name": "Ann", "last_name": "Lee"}
    body = {**account, "password1": password, "password2": password, "confirmations": []}
    told = browser.send("POST", "/api/auth/register", expect=201, json=body).json()
    assert {name: told[name] for name in account} == account
    yield ui.log_in(browser, ANN)
    browser.close()


def test_a_visitor_registers(ann: Any) -> None:
    assert (ann["username"], ann["first_name"], ann["is_staff"]) == ("annie", "Ann", False)


def test_a_name_that_is_taken_is_told_by_its_field(browser: Browser, ann: Any) -> None:
    body = {"username": ANN[0], "email": "x@example.org", "password1": ANN[1], "password2": ANN[1]}
    told = browser.send("POST", "/api/auth/register", expect=400, json=body).json()
    assert set(told) == {"username"}


def test_login_with_an_address(browser: Browser, ann: Any) -> None:
    """What looks like one is sent as `email`."""
    browser.send("POST", "/api/auth/login", json={"email": "annie@example.org", "password": ANN[1]})
    assert browser.get("/api/users/self")["id"] == ann["id"]


def test_the_profile(browser: Browser, ann: Any) -> None:
    ui.log_in(browser, ANN)
    changed = browser.send("PATCH", f"/api/users/{ann['id']}", json={"first_name": "Anna"}).json()
    assert ui.having("user", changed)["first_name"] == "Anna"
    tokens = browser.every("/api/auth/access_tokens")
    made = browser.send(
        "POST", "/api/auth/access_tokens", expect=201, json={"name": "script", "read_only": True}
    ).json()
    assert made["value"]
    listed = browser.every("/api/auth/access_tokens")
    assert len(listed) == len(tokens) + 1
    assert all("value" not in token for token in listed)
    browser.send("DELETE", f"/api/auth/access_tokens/{made['id']}", expect=204)


def test_a_new_password(site: Server) -> None:
    browser = Browser(site.url)
    site.add_user(("eve", "an old password"))
    ui.log_in(browser, ("eve", "an old password"))
    new = "the new password"
    body = {"old_password": "an old password", "new_password1": new, "new_password2": new}
    browser.send("POST", "/api/auth/password/change", json=body)
    assert browser.get("/api/users/self")["username"] == "eve"  # the UI goes on as it was
    browser.close()
    other = Browser(site.url)
    ui.log_in(other, ("eve", new))
    other.close()


def test_admins_see_more(browser: Browser) -> None:
    admin = ui.log_in(browser, ADMIN)
    assert (admin["is_superuser"], admin["is_staff"]) == (True, True)
