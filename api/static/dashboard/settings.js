// What is chosen, kept in the address so that a reload or a link shows the same.

export const RANGES = {
  "1h": { name: "1 h", title: "hour", seconds: 3_600 },
  "24h": { name: "24 h", title: "24 hours", seconds: 86_400 },
  "7d": { name: "7 d", title: "7 days", seconds: 7 * 86_400 },
  "30d": { name: "30 d", title: "30 days", seconds: 30 * 86_400 },
  all: { name: "All", title: "All", seconds: null },
};

const CHOICES = {
  view: ["campaign", "operations"],
  range: Object.keys(RANGES),
  theme: ["system", "light", "dark"],
};
const DEFAULTS = { view: "campaign", range: "7d", theme: "system", project: "", task: "" };

export const settings = read();

function read() {
  const given = new URLSearchParams(location.search);
  const found = { ...DEFAULTS };
  for (const name of Object.keys(DEFAULTS)) {
    const value = given.get(name);
    const fits = name in CHOICES ? CHOICES[name].includes(value) : /^\d+$/.test(value ?? "");
    if (fits) found[name] = value;
  }
  return found;
}

export function choose(changes) {
  Object.assign(settings, changes);
  const chosen = Object.entries(settings).filter(([name, value]) => value !== DEFAULTS[name]);
  history.replaceState(null, "", chosen.length ? `?${new URLSearchParams(chosen)}` : location.pathname);
}

// As the server takes it.
export function selection() {
  const { seconds } = RANGES[settings.range];
  const isCampaign = settings.view === "campaign";
  return {
    from: seconds && new Date(Date.now() - seconds * 1_000).toISOString(),
    project_id: isCampaign && settings.project,
    task_id: isCampaign && settings.task,
  };
}
