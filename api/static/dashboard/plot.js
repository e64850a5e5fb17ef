// A chart over time: lines, steps, or bars that stand on one another.

import uPlot from "./uplot/uPlot.esm.js";
import { element } from "./dom.js";
import { axisTimes, short } from "./format.js";

const HEIGHT = 230;
const PALETTE = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
const STACKED_BARS = { align: 1, size: [0.86, 60] };
const WHOLE = Array.from({ length: 30 }, (_, n) => [1, 2, 5][n % 3] * 10 ** Math.floor(n / 3));

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// `own`: CSS variables of lines that have a colour of their own.
export function colorsOf(names, own = {}) {
  let next = 0;
  return names.map((name) => css(own[name] ?? (name === "others" ? "--c-rest" : PALETTE[next++ % PALETTE.length])));
}

export class Plot {
  // `kind`: bars, steps or lines. `onMove` is told the place of the row under the cursor, or null.
  constructor({ kind, label, onMove }) {
    this.kind = kind;
    this.onMove = onMove;
    const attributes = {
      class: "plot",
      role: "img",
      tabindex: 0,
      "aria-label": label,
      onkeydown: (event) => this.#key(event),
    };
    this.node = element("div", attributes);
    new ResizeObserver(() => this.plot?.setSize(this.#size())).observe(this.node);
  }

  // Of the row under the cursor, or null.
  get place() {
    const place = this.plot?.cursor.idx ?? null;
    return place < this.rows?.length ? place : null;
  }

  show(shown) {
    const looks = JSON.stringify([shown.names, shown.colors, areWhole(shown.rows)]);
    const isNew = looks !== this.looks;
    Object.assign(this, shown, { looks });
    const lines = this.names.map((_, line) => this.rows.map((row) => row[line + 1]));
    // Of a stack, the highest is drawn first, and what stands below covers it.
    const drawn = this.kind === "bars" ? stacked(lines).reverse() : lines;
    const data = [this.rows.map((row) => row[0]), ...drawn];
    if (!isNew) return this.plot.setData(data);
    this.plot?.destroy();
    this.plot = new uPlot(this.#options(), data, this.node);
  }

  #options() {
    const series = this.names.map((name, line) => this.#series(name, this.colors[line]));
    return {
      ...this.#size(),
      padding: [10, 22, 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: this.kind !== "bars" }, y: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), "Etc/UTC"),
      scales: { x: { range: () => [this.from, this.to] }, y: { range: (_, __, max) => [0, max * 1.08 || 1] } },
      series: [{}, ...(this.kind === "bars" ? series.reverse() : series)],
      axes: this.#axes(),
      hooks: { setCursor: [() => this.onMove(this.place)] },
    };
  }

  #series(label, color) {
    const paths = { bars: uPlot.paths.bars(STACKED_BARS), steps: uPlot.paths.stepped({ align: 1 }) }[this.kind];
    const isBar = this.kind === "bars";
    return {
      label,
      paths,
      stroke: color,
      fill: isBar ? color : `${color}1f`,
      width: isBar ? 0 : 2,
      points: { show: false },
    };
  }

  #axes() {
    const look = { stroke: css("--muted"), font: "12px system-ui, sans-serif", ticks: { show: false } };
    const times = (_, splits, __, ___, increment) => axisTimes(splits, increment);
    return [
      { ...look, size: 42, space: 64, grid: { show: false }, values: times },
      {
        ...look,
        size: 48,
        grid: { stroke: css("--line"), width: 1 },
        values: (_, splits) => splits.map(short),
        ...(areWhole(this.rows) && { incrs: WHOLE }),
      },
    ];
  }

  #size() {
    return { width: this.node.clientWidth, height: HEIGHT };
  }

  // The arrow keys move the cursor.
  #key(event) {
    const change = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!change || !this.plot) return;
    event.preventDefault();
    const last = this.rows.length - 1;
    const place = Math.min(Math.max((this.place ?? last + 1) + change, 0), last);
    this.plot.setCursor({ left: this.plot.valToPos(this.rows[place][0], "x"), top: 10 });
  }
}

const areWhole = (rows) => rows.every((row) => row.every(Number.isInteger));

function stacked(lines) {
  const heights = [];
  for (const line of lines) {
    const below = heights.at(-1);
    heights.push(below ? line.map((value, place) => value + below[place]) : line);
  }
  return heights;
}
