// Rows of values as tables, the largest ones with a bar behind the number.

import { element } from "./dom.js";

// `columns`: {title, text, isNumber, hasBar, isLong}; `text` makes what is shown of a value.
export function table(caption, columns, rows) {
  const highest = columns.map((column, place) => (column.hasBar ? Math.max(...rows.map((row) => row[place] ?? 0)) : 0));
  return element(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    element(
      "table",
      {},
      element("caption", { class: "unseen" }, caption),
      element("thead", {}, element("tr", {}, ...columns.map((column) => heading(column)))),
      element("tbody", {}, ...rows.map((row) => line(columns, row, highest))),
    ),
  );
}

function heading({ title, ...column }) {
  return element("th", { scope: "col", class: kind(column) }, title);
}

function line(columns, row, highest) {
  return element("tr", {}, ...columns.map((column, place) => cell(column, row[place], highest[place], place === 0)));
}

function cell({ text, ...column }, value, highest, isFirst) {
  const shown = element("span", {}, text ? text(value) : String(value ?? "–"));
  const made = element(isFirst ? "th" : "td", { scope: isFirst ? "row" : null, class: kind(column) }, shown);
  if (column.hasBar && highest > 0) {
    const bar = element("span", { class: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", (value ?? 0) / highest);
    made.append(bar);
  }
  return made;
}

const kind = ({ isNumber, isLong }) => (isNumber ? "number" : isLong ? "long" : null);
