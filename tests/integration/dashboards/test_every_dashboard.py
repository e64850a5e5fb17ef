"""What holds for all dashboards: they are those of the code, and each of their queries gives something."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from observability.output import DASHBOARDS, files

from .conftest import Dashboard, Grafana, read

PATHS = sorted(DASHBOARDS.glob("*.json"))


def test_what_is_committed_is_what_the_code_makes() -> None:
    made = files()
    assert [path.name for path, content in made.items() if not path.exists() or path.read_text() != content] == []
    assert set(PATHS) <= made.keys()


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_query_gives_rows(path: Path, grafana: Grafana) -> None:
    dashboard = Dashboard(grafana, read(path))
    everything = dashboard.everything()
    for name, variable in dashboard.variables.items():
        rows = grafana.ask(variable["query"], **everything)
        assert rows, f"variable {name}"
        assert len(rows[0]) in (1, 2)  # a text; or a value, and how it is shown
    for panel in dashboard.json["panels"]:
        for target in panel.get("targets", ()):
            if "rawSql" in target:
                rows = grafana.ask(target["rawSql"], **everything)
                assert rows, panel["title"]
                assert target["format"] == 1 or "time" in rows[0], panel["title"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_panels_are_explained_and_do_not_overlap(path: Path) -> None:
    panels = [panel for panel in read(path)["panels"] if panel["type"] != "row"]
    assert [panel["title"] for panel in panels if not panel.get("description")] == []
    titles = Counter(panel["title"] for panel in panels)
    assert [title for title, times in titles.items() if times > 1] == []
    cells: Counter[tuple[int, int]] = Counter()
    for at in (panel["gridPos"] for panel in panels):
        cells.update((at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"]))
    assert max(cells.values()) == 1
    assert max(x for x, _ in cells) < 24
