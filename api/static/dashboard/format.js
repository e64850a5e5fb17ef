// Numbers and times as people read them. All times are in UTC, as in the log.

const MINUTE = 60,
  HOUR = 3_600,
  DAY = 86_400;
const UTC = { timeZone: "UTC" };
const clock = new Intl.DateTimeFormat("en-GB", { ...UTC, hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { ...UTC, day: "numeric", month: "short" });
const dayAndYear = new Intl.DateTimeFormat("en-GB", { ...UTC, day: "numeric", month: "short", year: "numeric" });

export function number(value) {
  if (value == null) return "–";
  if (value > 0 && value < 0.01) return "< 0.01";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

// On axes, where there is little room.
export const short = (value) => value.toLocaleString("en-US", { notation: "compact", maximumSignificantDigits: 3 });

export const percent = (part, whole) => (whole ? `${Math.floor((100 * part) / whole)} %` : "–");

export function duration(seconds) {
  if (seconds === 0) return "0 s";
  if (seconds < 1) return `${Math.round(seconds * 1_000)} ms`;
  if (seconds < MINUTE) return `${number(Math.round(seconds))} s`;
  if (seconds < HOUR) return `${number(Math.round(seconds / MINUTE))} min`;
  if (seconds < 2 * DAY) return `${number(Math.round((seconds / HOUR) * 10) / 10)} h`;
  return `${number(Math.round(seconds / DAY))} days`;
}

export const date = (seconds) => day.format(seconds * 1_000);
export const time = (seconds) => clock.format(seconds * 1_000);
export const moment = (seconds) => `${dayAndYear.format(seconds * 1_000)}, ${time(seconds)}`;

export function step(seconds) {
  const names = [
    [DAY, "day"],
    [HOUR, "hour"],
    [MINUTE, "minute"],
  ];
  const [size, name] = names.find(([size]) => seconds % size === 0) ?? [1, "second"];
  return seconds === size ? name : `${seconds / size} ${name}s`;
}

// Of a time axis: the time of day, and below it the date where that is new.
export function axisTimes(splits, increment) {
  return splits.map((at, place) => {
    if (increment >= DAY) return date(at);
    const isNewDay = place === 0 || date(at) !== date(splits[place - 1]);
    return isNewDay ? `${time(at)}\n${date(at)}` : time(at);
  });
}
