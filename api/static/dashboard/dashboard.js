// The page: logs in, shows a dashboard, and keeps it fresh.

import { get, hasLogin, logOut, Refused } from "./api.js";
import { campaign } from "./campaign.js";
import { button, byId } from "./dom.js";
import { filters } from "./filters.js";
import { moment, number } from "./format.js";
import { loginForm } from "./login.js";
import { operations } from "./operations.js";
import { choose, RANGES, selection, settings } from "./settings.js";
import { themeButton } from "./theme.js";
import { tile } from "./tiles.js";

const REFRESH_SECONDS = 15;
const DASHBOARDS = { campaign, operations };
const OF_STATE = ["queues", "agents", "followers", "verifications", "dead_letters"];

let panels = [];
let user = null;
let isLive = true;
let turn = 0;
let asking = 0; // the turn whose answers are awaited
let answers = {}; // by name, those that are shown

async function start() {
  if (!hasLogin()) return askWho();
  try {
    user = await get("/api/users/self");
  } catch (refused) {
    return refused.status === 401 ? askWho() : say(refused.message);
  }
  if (!user.is_superuser) choose({ view: "campaign" });
  show();
}

function askWho() {
  panels = [];
  turn += 1;
  for (const id of ["views", "filters"]) byId(id).hidden = true;
  byId("tools").replaceChildren(themeButton(redraw));
  byId("tiles").replaceChildren();
  say();
  byId("charts").replaceChildren(loginForm(start));
  byId("charts").querySelector("input").focus();
}

function show() {
  const chosen = DASHBOARDS[settings.view];
  const views = user.is_superuser ? Object.keys(DASHBOARDS) : ["campaign"];
  byId("views").hidden = byId("filters").hidden = false;
  byId("views").replaceChildren(...views.map(viewButton));
  byId("tools").replaceChildren(liveButton(), themeButton(redraw), button("Log out", leave));
  byId("filters").replaceChildren(...filters(refresh));
  panels = chosen.panels();
  answers = {};
  byId("tiles").replaceChildren();
  byId("charts").replaceChildren(...panels.map((panel) => panel.node));
  document.title = `${chosen.title} · Annals`;
  return refresh();
}

function viewButton(view) {
  const isCurrent = view === settings.view;
  return button(DASHBOARDS[view].title, () => open({ view }), { "aria-current": isCurrent ? "page" : null });
}

function open(chosen) {
  choose(chosen);
  show();
}

function liveButton() {
  const toggle = ({ target }) => {
    isLive = !isLive;
    target.setAttribute("aria-pressed", isLive);
  };
  return button("Live", toggle, { "aria-pressed": String(isLive), title: `Ask anew every ${REFRESH_SECONDS} s` });
}

async function leave() {
  await logOut().catch(() => {});
  askWho();
}

function redraw() {
  panels.forEach((panel) => panel.redraw());
}

// Asks for everything that is shown, and shows each answer as it comes: one that is long in coming keeps no other
// waiting. What comes when something else has been chosen meanwhile is not looked at.
async function refresh() {
  const mine = (turn += 1);
  if (!maySee()) return beg(mine);
  asking = mine;
  const problems = [];
  const one = async ([name, [path, parameters]]) => {
    const answer = await ask(path, parameters, problems);
    if (mine === turn) paint(name, answer, problems);
  };
  await Promise.all(Object.entries(questions()).map(one));
  if (mine !== turn) return;
  asking = 0;
  if (problems.some(({ status }) => status === 401)) return askWho();
  tell(answers.span, problems);
  byId("charts").dataset.turn = mine;
}

// An answer; null when there is none.
function paint(name, answer, problems) {
  answers[name] = answer;
  byId("tiles").replaceChildren(...DASHBOARDS[settings.view].tiles(answers).map(tile));
  for (const panel of panels) {
    const { name: shown } = panel.chart;
    if (shown !== name && !(name === "state" && OF_STATE.includes(shown))) continue;
    const found = name === "state" ? ofState(answer, shown) : answer;
    if (found) panel.update(found);
    else panel.say("Not to be had at the moment.");
  }
  if (problems.length) tell(null, problems);
}

// Path and parameters of each, by its name: first what ClickHouse has no part in, for a browser asks a few at a time.
function questions() {
  const path = (name) => `/api/dashboard/charts/${name}`;
  const charts = panels.map(({ chart }) => chart.name).filter((name) => !OF_STATE.includes(name));
  const ofNow = settings.view === "operations" ? { state: ["/api/dashboard/state"] } : {};
  const asked = Object.fromEntries(charts.map((name) => [name, [path(name), selection()]]));
  return { ...ofNow, ...asked, span: [path("span"), { ...selection(), from: "" }] };
}

// The answer; null when it was refused, which is noted.
async function ask(path, parameters, problems) {
  try {
    return await get(path, parameters);
  } catch (problem) {
    if (!(problem instanceof Refused)) throw problem;
    problems.push(problem);
    return null;
  }
}

// Administrators see everything, others the campaign of a project or task that is theirs.
const maySee = () => user.is_superuser || settings.project || settings.task;

function beg(mine) {
  panels.forEach((panel) => panel.say("Nothing is chosen."));
  byId("tiles").replaceChildren();
  say("Choose a project or task of yours: only administrators see all.");
  byId("charts").dataset.turn = mine;
}

function ofState(state, name) {
  if (!state || !OF_STATE.includes(name)) return null;
  const columns = Object.keys(state[name][0] ?? {});
  return { columns, rows: state[name].map((row) => columns.map((column) => row[column])) };
}

// What is wrong, or where the events are if there are none in the chosen time.
function tell(span, problems) {
  const texts = new Set(problems.map(({ message }) => message));
  if (texts.size) return say(...texts);
  const [first, last, events] = span.rows[0];
  const asked = `Asked at ${moment(Date.now() / 1_000)}. Times are in UTC.`;
  if (!events) {
    byId("footer").textContent = asked;
    return say("Nothing has happened yet, or nothing has reached ClickHouse.");
  }
  byId("footer").textContent = `${number(events)} events from ${moment(first)} to ${moment(last)}. ${asked}`;
  const { from } = selection();
  if (!from || last >= Date.parse(from) / 1_000) return say();
  const where = `Nothing happened in the last ${RANGES[settings.range].title}: the newest event is of ${moment(last)} (UTC). `;
  say(
    where,
    button("Show all", () => open({ range: "all" }), { class: "primary" }),
  );
}

function say(...content) {
  byId("notice").replaceChildren(...content);
}

setInterval(() => {
  if (isLive && panels.length && !document.hidden && asking !== turn) refresh();
}, REFRESH_SECONDS * 1_000);
start();
