"""Each format is documented, with where it can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.formats.registry import exporters, importers

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "formats.md").read_text()
ROWS = {line.split("|")[1].strip(" `"): line.split("|") for line in PAGE.splitlines() if line.startswith("| `")}


@pytest.mark.parametrize("name", sorted({entry.format.full_name for entry in (*exporters(), *importers())}))
def test_a_format_is_in_the_table(name: str) -> None:
    written, read = ROWS[name][2].strip(), ROWS[name][3].strip()
    assert bool(written) == (name in {exporter.format.full_name for exporter in exporters()})
    for importer in importers():
        if importer.format.full_name == name:
            assert all(kind in read for kind in importer.format.ext.replace("ZIP", "zip").split(", "))
