"""What is public is documented, and the documentation is today's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli.main import app
from cli.reference import pages_of
from domain.event import body_types
from infra.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = pages_of(app)
MARKDOWN = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / name).read_text() == PAGES[name], "run `make docs`"


@pytest.mark.parametrize("name", body_types())
def test_each_event_says_what_it_means(name: str) -> None:
    doc = body_types()[name].__doc__ or ""
    assert len(doc.split()) > 3, f"{name} needs a docstring"
    assert f"## {name}\n" in PAGES["events.md"]


def test_each_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, f"{name} needs a description"
        assert f"`ANNALS_{name.upper()}`" in PAGES["reference/settings.md"]


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", (ROOT / "README.md").read_text())) <= targets


def test_folders_in_the_readme_exist() -> None:
    table = (ROOT / "README.md").read_text().split("## What each folder is")[1].split("##")[0]
    folders = re.findall(r"`([a-z]+/)`", table)
    assert len(folders) > 8
    assert all((ROOT / folder).is_dir() for folder in folders)
