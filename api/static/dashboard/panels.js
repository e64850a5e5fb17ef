// Panels: a titled chart or table each, that takes the server's answers.

import { element } from "./dom.js";
import { moment, number, step } from "./format.js";
import { colorsOf, Plot } from "./plot.js";
import { sum, SUMMARIES } from "./series.js";
import { table } from "./tables.js";

class Panel {
  constructor({ name, title, note, width }) {
    this.note = element("p", { class: "note" }, note ?? "");
    this.body = element("div", { class: "body" });
    this.node = element(
      "section",
      { class: `panel ${width ?? ""}`, "aria-labelledby": `title-${name}`, "data-chart": name },
      element("h2", { id: `title-${name}` }, title),
      this.note,
      this.body,
    );
  }

  say(text) {
    this.body.replaceChildren(element("p", { class: "empty" }, text));
  }

  redraw() {}
}

// Of a chart over time. `unit` makes the note of the length of a step, `summary` says what stands beside a line's name.
export class LinesPanel extends Panel {
  constructor(chart) {
    super({ width: "wide", ...chart });
    this.chart = chart;
    this.format = chart.format ?? number;
    this.plot = new Plot({
      ...chart,
      label: `${chart.title}: a chart over time. Its table is below.`,
      onMove: (place) => this.#legend(place),
    });
    this.legend = element("ul", { class: "legend" });
    this.when = element("p", { class: "when" });
    this.rows = element("div");
    this.details = element(
      "details",
      { ontoggle: () => this.#table() },
      element("summary", {}, "As a table"),
      this.rows,
    );
  }

  update(answer) {
    this.note.textContent = this.chart.unit(step(answer.step));
    const values = (place) => answer.rows.map((row) => row[place]);
    const found = answer.columns.slice(1).map((name, line) => ({ name, place: line + 1, values: values(line + 1) }));
    this.lines = sorted(
      found.filter(({ values }) => values.some(Boolean)),
      this.chart.order,
    );
    if (this.lines.length === 0) return this.say(this.chart.empty);
    this.data = answer.rows.map((row) => [row[0], ...this.lines.map(({ place }) => row[place])]);
    this.span = answer;
    if (!this.plot.node.isConnected) this.body.replaceChildren(this.plot.node, this.when, this.legend, this.details);
    this.#draw();
    this.#table();
  }

  redraw() {
    if (this.plot.node.isConnected) this.#draw();
  }

  #draw() {
    const names = this.lines.map(({ name }) => name);
    this.colors = colorsOf(names, this.chart.colors);
    this.plot.show({ names, colors: this.colors, rows: this.data, from: this.span.from, to: this.span.to });
    this.#legend(this.plot.place);
  }

  #legend(place) {
    this.when.textContent = place == null ? `${this.chart.summary}, ${since(this.span)}` : moment(this.data[place][0]);
    const items = this.lines.map(({ name, values }, line) => {
      const swatch = element("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.backgroundColor = this.colors[line];
      const value = place == null ? SUMMARIES[this.chart.summary](values) : values[place];
      return element("li", {}, swatch, `${name} `, element("b", {}, this.format(value)));
    });
    this.legend.replaceChildren(...items);
  }

  #table() {
    if (!this.details.open) return;
    const rows = this.data.filter((row) => row.slice(1).some(Boolean));
    const columns = [
      { title: "From (UTC)", text: moment },
      ...this.lines.map(({ name }) => ({ title: name, isNumber: true, text: this.format })),
    ];
    this.rows.replaceChildren(table(this.chart.title, columns, rows));
  }
}

// The largest first, where no other order is wanted, and what is left over last.
function sorted(lines, order) {
  const weight = ({ name, values }) => (order ? -order.indexOf(name) : name === "others" ? -1 : sum(values));
  return lines.toSorted((a, b) => weight(b) - weight(a));
}

const since = ({ from, to }) => `${moment(from)} to ${moment(Math.min(to, Date.now() / 1_000))}`;

export class TablePanel extends Panel {
  constructor(chart) {
    super(chart);
    this.chart = chart;
  }

  update({ columns, rows }) {
    if (rows.length === 0 || this.chart.isEmpty?.(rows)) return this.say(this.chart.empty);
    const places = this.chart.columns.map(({ name }) => columns.indexOf(name));
    const shown = rows.map((row) => places.map((place) => row[place]));
    this.body.replaceChildren(table(this.chart.title, this.chart.columns, shown));
  }
}
