// The server, asked with the cookie of the login.

const PATIENCE_MS = 60_000;

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function send(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
      body: body && JSON.stringify(body),
      credentials: "same-origin",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Refused(0, "The server cannot be reached.");
  }
  const content = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, text(content) ?? `The server answered ${answer.status}.`);
  return content;
}

// Errors come as {"detail": text}, {"field": [text]} or [text].
function text(content) {
  if (content == null || typeof content === "string") return content;
  return content.detail ?? Object.values(content).flat(2).join(" ");
}

function csrfToken() {
  return /(?:^|; )csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}

// A login comes with this cookie, which scripts may read.
export const hasLogin = () => csrfToken() !== "";

export const get = (path, parameters = {}) => {
  const given = Object.entries(parameters).filter(([, value]) => value);
  return send("GET", given.length ? `${path}?${new URLSearchParams(given)}` : path);
};

export const logIn = (username, password) => send("POST", "/api/auth/login", { username, password });
export const logOut = () => send("POST", "/api/auth/logout");
