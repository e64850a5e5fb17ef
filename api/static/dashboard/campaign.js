// What is shown of the labelling itself.

import { date, duration, number, percent } from "./format.js";
import { LinesPanel, TablePanel } from "./panels.js";
import { line, sum, totals } from "./series.js";

const DAY = 86_400;
const AT_MOST = [
  [900, "up to 15 min"],
  [3_600, "15 min to 1 h"],
  [14_400, "1 to 4 h"],
  [43_200, "4 to 12 h"],
  [86_400, "12 to 24 h"],
  [259_200, "1 to 3 days"],
  [604_800, "3 to 7 days"],
];
const countOf = (name, title) => ({ name, title, isNumber: true, hasBar: true, text: number });

export const campaign = {
  title: "Campaign",
  panels: () => [
    new LinesPanel({
      name: "progress",
      title: "Progress",
      kind: "lines",
      summary: "latest",
      order: ["jobs", "annotated", "accepted"],
      colors: { jobs: "--c-rest", annotated: "--c1", accepted: "--c3" },
      unit: () => "Jobs that there are, whose annotation is completed, and that are accepted",
      empty: "There are no jobs yet.",
    }),
    new LinesPanel({
      name: "throughput",
      title: "Annotations made",
      kind: "bars",
      summary: "total",
      unit: (step) => `Shapes, tracks and tags in each ${step}, by person`,
      empty: "Nobody annotated in this time.",
    }),
    new LinesPanel({
      name: "working_time",
      title: "Working time",
      kind: "bars",
      summary: "total",
      format: hours,
      unit: (step) => `Hours worked in each ${step}, by person`,
      empty: "The user interfaces reported no work in this time.",
    }),
    new TablePanel({
      name: "people",
      title: "People",
      width: "wide",
      note: "What each did in this time",
      empty: "Nobody worked in this time.",
      columns: [
        { name: "person", title: "Person" },
        countOf("annotations", "Annotations"),
        { ...countOf("hours", "Worked"), text: hours },
        countOf("per_hour", "Per hour"),
        countOf("jobs_completed", "Jobs completed"),
      ],
    }),
    new TablePanel({
      name: "labels",
      title: "Labels",
      note: "Annotations made with each in this time",
      empty: "Nobody annotated in this time.",
      columns: [{ name: "label", title: "Label" }, countOf("annotations", "Annotations")],
    }),
    new TablePanel({
      name: "stages",
      title: "Stages",
      note: "Where the jobs are at the end of this time",
      empty: "There are no jobs yet.",
      columns: [{ name: "stage", title: "Stage" }, { name: "state", title: "State" }, countOf("jobs", "Jobs")],
    }),
    new TablePanel({
      name: "durations",
      title: "Time to complete",
      note: "From when a job was created until its annotation was completed, of those completed in this time",
      empty: "No job was completed in this time.",
      isEmpty: (rows) => rows.every(([, jobs]) => jobs === 0),
      columns: [
        { name: "longest", title: "Time", text: (longest) => new Map(AT_MOST).get(longest) ?? "longer" },
        countOf("jobs", "Jobs"),
      ],
    }),
  ],
  tiles: ({ progress, throughput, working_time: workingTime, people }) =>
    [
      ...(progress ? jobs(progress) : []),
      throughput && {
        title: "Annotations made",
        value: number(sum(totals(throughput))),
        note: "in this time",
        trend: totals(throughput),
      },
      workingTime && {
        title: "Working time",
        value: hours(sum(totals(workingTime))),
        note: "in this time",
        trend: totals(workingTime),
      },
      people && { title: "People", value: number(people.rows.length), note: "worked in this time" },
    ].filter(Boolean),
};

function hours(value) {
  return value == null ? "–" : `${number(value)} h`;
}

function jobs(progress) {
  const [all, annotated, accepted] = ["jobs", "annotated", "accepted"].map((name) => line(progress, name));
  return [
    { title: "Jobs annotated", ...share(annotated, all) },
    { title: "Jobs accepted", ...share(accepted, all) },
    { title: "Expected end", ...expectedEnd(progress, annotated, all) },
  ];
}

function share(some, all) {
  const [part, whole] = [some.at(-1), all.at(-1)];
  return { value: percent(part, whole), note: `${number(part)} of ${number(whole)}`, trend: some };
}

// If the annotation of jobs goes on at the pace of the chosen time, or of that part of it in which there were jobs.
function expectedEnd({ to, rows }, annotated, jobs) {
  const left = jobs.at(-1) - annotated.at(-1);
  if (jobs.at(-1) === 0) return { value: "–", note: "no jobs yet" };
  if (left === 0) return { value: "done", note: "all jobs are annotated" };
  const first = jobs.findIndex(Boolean);
  const until = Math.min(to, Date.now() / 1_000);
  const pace = (annotated.at(-1) - annotated[first]) / (until - rows[first][0]);
  if (pace <= 0) return { value: "–", note: `${number(left)} jobs to annotate, no pace in this time` };
  return {
    value: date(until + left / pace),
    note: `${duration(left / pace)} at ${number(Math.round(pace * DAY))} jobs a day`,
  };
}
