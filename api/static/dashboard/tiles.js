// The numbers on top, some with how they came about.

import { drawing, element } from "./dom.js";

const WIDTH = 100,
  HEIGHT = 28;
const LEVELS = { good: "✓", bad: "!" };

export function tile({ title, value, note, trend, level }) {
  const mark =
    level &&
    element(
      "span",
      { class: `mark ${level}`, role: "img", "aria-label": level === "bad" ? "look at this" : "good" },
      LEVELS[level],
    );
  return element(
    "li",
    { class: level ? `tile ${level}` : "tile" },
    element("span", { class: "title" }, title, mark),
    element("span", { class: "value" }, value),
    element("span", { class: "note" }, note),
    trend?.some(Boolean) ? sparkline(trend) : null,
  );
}

function sparkline(values) {
  const highest = Math.max(...values);
  const points = values.map(
    (value, place) =>
      `${((place / Math.max(values.length - 1, 1)) * WIDTH).toFixed(1)},${(HEIGHT - (value / highest) * (HEIGHT - 2) - 1).toFixed(1)}`,
  );
  return drawing(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "sparkline", "aria-hidden": "true" },
    drawing("polygon", { points: `0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}` }),
    drawing("polyline", { points: points.join(" "), "vector-effect": "non-scaling-stroke" }),
  );
}
