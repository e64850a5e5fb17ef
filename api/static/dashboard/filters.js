// Which time, project and task are shown.

import { get } from "./api.js";
import { element } from "./dom.js";
import { choose, RANGES, settings } from "./settings.js";

const MOST = 1_000;

// `changed` is called when something else was chosen.
export function filters(changed) {
  const places = element("span", { class: "places", hidden: settings.view !== "campaign" });
  fill(places, changed);
  return [ranges(changed), places];
}

function ranges(changed) {
  const buttons = Object.entries(RANGES).map(([range, { name, title }]) =>
    element(
      "label",
      {},
      element("input", {
        type: "radio",
        name: "range",
        value: range,
        "aria-label": title,
        checked: range === settings.range,
        class: "unseen",
        onchange: () => {
          choose({ range });
          changed();
        },
      }),
      element("span", {}, name),
    ),
  );
  return element("fieldset", { class: "segments" }, element("legend", { class: "unseen" }, "Time"), ...buttons);
}

async function fill(places, changed) {
  const projects = await all("/api/projects", {});
  const tasks = await all("/api/tasks", { project_id: settings.project });
  const again = () => {
    fill(places, changed);
    changed();
  };
  places.replaceChildren(
    select("Project", "All projects", projects, settings.project, (project) => {
      choose({ project, task: "" });
      again();
    }),
    select("Task", "All tasks", tasks, settings.task, (task) => {
      choose({ task });
      changed();
    }),
  );
}

async function all(path, parameters) {
  const page = await get(path, { ...parameters, page_size: MOST, sort: "-id" }).catch(() => ({ results: [] }));
  return page.results.map(({ id, name }) => [String(id), `${name} (${id})`]);
}

function select(label, everything, options, chosen, onChoice) {
  const made = [["", everything], ...options].map(([value, text]) =>
    element("option", { value, selected: value === chosen }, text),
  );
  return element("select", { "aria-label": label, onchange: (event) => onChoice(event.target.value) }, ...made);
}
