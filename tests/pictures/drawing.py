"""Panels drawn as Grafana draws them in the dark, on its grid of 24 columns."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from .answers import Answers, Ask
from .units import shown

CELL_WIDTH, CELL_HEIGHT, DPI = 62, 34, 100
"""Pixels."""
GAP = 5
LINE, LETTER = 23, 6.4
"""Pixels of a table's row, and of a letter of its text."""
BACKGROUND, PANEL, BORDER, TEXT, FAINT = "#111217", "#181b1f", "#2c3235", "#ccccdc", "#8e8e9b"
GREEN, RED = "#73bf69", "#f2495c"
COLORS = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a",
          "#96d98d", "#c0d8ff", "#ffb357", "#ff9830", "#ca95e5", "#fa6400"]  # fmt: skip
COLORS_KEPT = 128
MOST_LEGENDS = 16


def draw(dashboard: dict[str, Any], ask: Ask, path: Path) -> None:
    """One dashboard, from top to bottom."""
    matplotlib.use("Agg")
    panels = dashboard["panels"]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) * CELL_HEIGHT + 2 * GAP
    figure = Figure(figsize=(24 * CELL_WIDTH / DPI, height / DPI), dpi=DPI, facecolor=BACKGROUND)
    for panel in panels:
        at = panel["gridPos"]
        box = _Box(figure, at["x"] * CELL_WIDTH + GAP, at["y"] * CELL_HEIGHT + GAP, at["w"] * CELL_WIDTH - 2 * GAP,
                   at["h"] * CELL_HEIGHT - 2 * GAP)  # fmt: skip
        if panel["type"] == "row":
            box.write(panel["title"], 0, 20, size=12, weight="bold")
        else:
            _panel(box, panel, ask(panel))
    _save(figure, path)


class _Box:
    """A part of the figure, in pixels from its upper left corner."""

    def __init__(self, figure: Figure, x: float, y: float, width: float, height: float) -> None:
        self.figure, self.x, self.y, self.width, self.height = figure, x, y, width, height
        self._wide, self._high = figure.get_size_inches() * figure.dpi

    def axes(self, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0, **looks: Any) -> Axes:
        """All of it but these margins."""
        width, height = self.width - left - right, self.height - top - bottom
        place = (self.x + left) / self._wide, 1 - (self.y + top + height) / self._high
        return self.figure.add_axes((*place, width / self._wide, height / self._high), **looks)

    def write(self, text: str, x: float, y: float, size: float = 9, color: str = TEXT, **looks: Any) -> None:
        """`y`: of the text's base line."""
        place = (self.x + x) / self._wide, 1 - (self.y + y) / self._high
        self.figure.text(*place, text, fontsize=size, color=color, **looks)


def _panel(box: _Box, panel: dict[str, Any], answers: Answers) -> None:
    frame = box.axes(facecolor=PANEL)
    frame.set_xticks([])
    frame.set_yticks([])
    for spine in frame.spines.values():
        spine.set_color(BORDER)
    box.write(panel["title"], 9, 19, size=9, weight="bold")
    kinds: dict[str, Callable[[_Box, dict[str, Any], Answers], None]] = {
        "stat": _stat, "bargauge": _ranking, "table": _table, "timeseries": _over_time,
    }  # fmt: skip
    if not answers.rows and not answers.series:
        box.write("No data", box.width / 2, box.height / 2, color=FAINT, ha="center")
    else:
        kinds[panel["type"]](box, panel, answers)


def _unit(panel: dict[str, Any]) -> str:
    return panel["fieldConfig"]["defaults"].get("unit", "")


def _stat(box: _Box, panel: dict[str, Any], answers: Answers) -> None:
    value = next(iter(answers.rows[0].values())) if answers.rows else answers.series[0].values[-1]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    red = any(step["value"] is not None and value is not None and value >= step["value"] for step in steps)
    text = shown(value, _unit(panel)) or "none"
    size = 27 if len(text) < 9 else 18
    box.write(text, box.width / 2, box.height * 0.66, size=size, color=RED if red else GREEN, ha="center")


def _ranking(box: _Box, panel: dict[str, Any], answers: Answers) -> None:
    room = int((box.height - 34) // 17)
    rows = [list(row.values()) for row in answers.rows][:room]
    names = max(len(str(name)) for name, _ in rows) * LETTER + 14
    step, most = (box.height - 36) / len(rows), max(value for _, value in rows)
    axes = box.axes(names + 6, 30, 62, 6)
    axes.axis("off")
    for number, (_, value) in enumerate(rows):
        axes.barh(number, value, height=0.7, color=COLORS[number % len(COLORS)])
    axes.set_xlim(0, most)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for number, (name, value) in enumerate(rows):
        y = 30 + step * (number + 0.5) + 4
        box.write(str(name), names, y, size=8, ha="right")
        box.write(shown(value, _unit(panel)), box.width - 8, y, size=8, ha="right")


def _table(box: _Box, panel: dict[str, Any], answers: Answers) -> None:
    units = {
        override["matcher"]["options"]: override["properties"][0]["value"]
        for override in panel["fieldConfig"].get("overrides", ())
    }
    names = list(answers.rows[0])
    texts = [[shown(row[name], units.get(name, "")) for name in names] for row in answers.rows]
    texts = texts[: int((box.height - 50) // LINE)]
    longest = [max(len(name), *(min(len(line[n]), 34) for line in texts)) + 2 for n, name in enumerate(names)]
    width, x = (box.width - 16) / sum(longest), 9.0
    for n, name in enumerate(names):
        letters = int((longest[n] - 1) * width / LETTER)
        box.write(name, x, 41, size=8, color="#6e9fff")
        for number, line in enumerate(texts):
            text = line[n].replace("\n", " ").replace("$", r"\$")
            box.write(text if len(text) <= letters else text[: letters - 1] + "…", x, 41 + LINE * (number + 1), size=8)
        x += longest[n] * width


def _over_time(box: _Box, panel: dict[str, Any], answers: Answers) -> None:
    custom, unit = panel["fieldConfig"]["defaults"]["custom"], _unit(panel)
    legends = answers.series[:MOST_LEGENDS]
    wide = max(100, 30 + LETTER * max(len(series.name) for series in legends))
    columns = max(1, int((box.width - 20) // wide))
    lines = -(-len(legends) // columns)
    axes = box.axes(58, 32, 14, 28 + 17 * lines, facecolor=PANEL)
    _looks(axes, unit)
    stacked = custom.get("stacking", {}).get("mode") == "normal"
    (_bars if stacked else _lines)(axes, answers)
    nothing = not any(any(series.values) for series in answers.series)
    axes.set_ylim(0, 1 if nothing or unit == "percentunit" else None)
    for number, series in enumerate(legends):
        x, y = 14 + number % columns * wide, box.height - 17 * (lines - number // columns) + 11
        box.write("■", x, y, size=8, color=COLORS[number % len(COLORS)])
        box.write(series.name, x + 13, y, size=8)


def _bars(axes: Axes, answers: Answers) -> None:
    times = sorted({time for series in answers.series for time in series.times})
    at = date2num(times)
    width = min(np.diff(at), default=0.02) * 0.85
    base = np.zeros(len(times))
    for number, series in enumerate(answers.series):
        values = dict(zip(series.times, series.values, strict=True))
        heights = np.array([values.get(time, 0.0) for time in times])
        axes.bar(at, heights, width, bottom=base, color=COLORS[number % len(COLORS)])
        base += heights


def _lines(axes: Axes, answers: Answers) -> None:
    for number, series in enumerate(answers.series):
        color = COLORS[number % len(COLORS)]
        alone = {"marker": "o", "markersize": 3} if len(series.times) == 1 else {}
        axes.plot(series.times, series.values, color=color, linewidth=1.3, **alone)
        axes.fill_between(series.times, series.values, color=color, alpha=0.1, linewidth=0)


def _looks(axes: Axes, unit: str) -> None:
    axes.tick_params(colors=FAINT, labelsize=7.5, length=0)
    axes.grid(color=BORDER, linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    locator = AutoDateLocator(minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shown(value, unit)))


def _own_colors() -> list[int]:
    """Those that must stay as they are, however little of them there is: red, green, blue, red …"""
    own = (BACKGROUND, PANEL, BORDER, TEXT, FAINT, GREEN, RED, *COLORS)
    return [int(color[at : at + 2], 16) for color in own for at in (1, 3, 5)]


def _save(figure: Figure, path: Path) -> None:
    """As a PNG with few colors, which is small."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", facecolor=BACKGROUND)
    picture = Image.open(raw).convert("RGB")
    found = picture.quantize(COLORS_KEPT, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*_own_colors(), *found])
    picture = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)
