// What is shown of the server.

import { duration, moment, number } from "./format.js";
import { LinesPanel, TablePanel } from "./panels.js";
import { sum, totals } from "./series.js";

const ALIVE_SECONDS = 30;
const LATE_SECONDS = 60;
const WAITING_SECONDS = 300;
const ago = (seconds) => `${duration(Math.max(Date.now() / 1_000 - seconds, 1))} ago`;
const count = (name, title) => ({ name, title, isNumber: true, text: number });

export const operations = {
  title: "Operations",
  panels: () => [
    new LinesPanel({
      name: "activity",
      title: "Events",
      kind: "bars",
      summary: "mean",
      colors: { errors: "--c-bad", other: "--c-rest" },
      unit: (step) => `Per minute, on average over each ${step}, by what they are about`,
      empty: "Nothing happened in this time.",
    }),
    new LinesPanel({
      name: "waiting",
      title: "Queues",
      kind: "steps",
      summary: "latest",
      unit: (step) => `Requests that wait for an agent, at the end of each ${step}`,
      empty: "No request was left waiting in this time.",
    }),
    new LinesPanel({
      name: "waits",
      title: "Waits",
      kind: "steps",
      summary: "highest",
      format: duration,
      unit: (step) => `Seconds that a request had waited for an agent: the longest of each ${step}`,
      empty: "No request was taken up in this time.",
    }),
    new LinesPanel({
      name: "errors",
      title: "Errors",
      kind: "bars",
      summary: "total",
      colors: { "on the server": "--c-bad", "in browsers": "--c2" },
      unit: (step) => `Errors in each ${step}, by where they happened`,
      empty: "There were no errors in this time.",
    }),
    new LinesPanel({
      name: "failures",
      title: "Failed requests",
      kind: "bars",
      summary: "total",
      unit: (step) => `Imports, exports and the like that failed in each ${step}`,
      empty: "No request failed in this time.",
    }),
    new TablePanel({
      name: "messages",
      title: "What went wrong",
      width: "wide",
      note: "The most frequent errors of this time",
      empty: "There were no errors in this time.",
      columns: [
        { name: "message", title: "Message", isLong: true },
        count("times", "Times"),
        { name: "last", title: "Last (UTC)", text: moment },
        count("people", "People"),
        { name: "source", title: "Where" },
      ],
    }),
    new TablePanel({
      name: "queues",
      title: "Queues now",
      width: "wide",
      note: "What waits in each, and who serves it",
      empty: "No queue was ever used, and no agent serves one.",
      columns: [
        { name: "queue", title: "Queue" },
        count("waiting", "Waiting"),
        { name: "oldest_seconds", title: "Oldest", isNumber: true, text: duration },
        count("agents", "Agents"),
      ],
    }),
    new TablePanel({
      name: "agents",
      title: "Agents",
      width: "wide",
      note: "Heard of within a day",
      empty: "No agent was heard of within a day: start one.",
      columns: [
        { name: "agent", title: "Agent" },
        { name: "queues", title: "Queues", text: (queues) => queues.join(", ") },
        { name: "heard", title: "Heard of", text: ago },
        count("requests", "Works on"),
      ],
    }),
    new TablePanel({
      name: "followers",
      title: "Followers of the log",
      width: "wide",
      note: "How far they are behind",
      empty: "Nobody follows the log: start a forwarder.",
      columns: [
        { name: "follower", title: "Follower" },
        { name: "state", title: "State", isLong: true },
        count("events", "Events"),
        { name: "seconds", title: "Time", isNumber: true, text: duration },
        count("dead_letters", "Dead letters"),
      ],
    }),
    new TablePanel({
      name: "verifications",
      title: "Verifications",
      width: "wide",
      note: "The last one of each kind",
      empty: "Nothing was verified yet: annals verify does it.",
      columns: [
        { name: "kind", title: "Kind" },
        count("differences", "Differences"),
        count("unknown", "Not compared"),
        { name: "finished", title: "Ended", text: ago },
        { name: "seconds", title: "Took", isNumber: true, text: duration },
      ],
    }),
    new TablePanel({
      name: "dead_letters",
      title: "Dead letters",
      width: "wide",
      note: "Events that could not be passed on, the last ones first",
      empty: "There are none.",
      columns: [
        { name: "position", title: "Event" },
        { name: "follower", title: "Follower" },
        { name: "stage", title: "Stage" },
        { name: "error", title: "Why", isLong: true },
        { name: "noted", title: "When (UTC)", text: moment },
      ],
    }),
  ],
  tiles: ({ activity, errors, state }) => [...(state ? present(state) : []), ...past(activity, errors)],
};

function present({ queues, agents, followers, verifications, time }) {
  const waiting = sum(queues.map((queue) => queue.waiting));
  const oldest = Math.max(0, ...queues.map((queue) => queue.oldest_seconds));
  const alive = agents.filter((agent) => time - agent.heard < ALIVE_SECONDS).length;
  const used = followers.filter((follower) => follower.in_use);
  // Not their sum: what the relay has not passed on yet, the forwarder behind it is waiting for.
  const behind = Math.max(0, ...used.map((follower) => follower.events));
  const late = Math.max(0, ...used.map((follower) => follower.seconds));
  const letters = sum(used.map((follower) => follower.dead_letters));
  const differences = sum(verifications.map((verification) => verification.differences));
  const unknown = sum(verifications.map((verification) => verification.unknown));
  const verified = Math.max(...verifications.map((verification) => verification.finished));
  return [
    {
      title: "Waiting",
      value: number(waiting),
      note: waiting ? `requests, the oldest for ${duration(oldest)}` : "no request",
      level: level(oldest > WAITING_SECONDS),
    },
    { title: "Agents", value: number(alive), note: "at work or ready", level: level(alive === 0) },
    {
      title: "Analytics lag",
      value: duration(late),
      note: `${number(behind)} events`,
      level: level(late > LATE_SECONDS || used.length === 0),
    },
    {
      title: "Dead letters",
      value: number(letters),
      note: letters ? "could not be passed on" : "none",
      level: level(letters > 0),
    },
    verifications.length
      ? {
          title: "Verification",
          value: differences ? number(differences) : unknown ? "not compared" : "equal",
          note: `${differences ? "differences, " : ""}${ago(verified)}`,
          level: level(differences + unknown > 0),
        }
      : { title: "Verification", value: "–", note: "not done yet" },
  ];
}

function past(activity, errors) {
  const events = activity && totals(activity);
  const wrong = errors && totals(errors);
  return [
    events && {
      title: "Events",
      value: number((sum(events) * activity.step) / 60),
      note: "in this time",
      trend: events,
    },
    wrong && { title: "Errors", value: number(sum(wrong)), note: "in this time", trend: wrong },
  ].filter(Boolean);
}

const level = (isBad) => (isBad ? "bad" : "good");
