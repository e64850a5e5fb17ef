// The form for those who are not logged in.

import { logIn } from "./api.js";
import { element } from "./dom.js";

export function loginForm(then) {
  const problem = element("p", { class: "problem", role: "alert" });
  const button = element("button", { type: "submit", class: "primary" }, "Log in");
  const form = element(
    "form",
    { class: "login panel", "aria-label": "Log in", onsubmit: submit },
    element("h2", {}, "Log in"),
    element("p", {}, "With the name and password of your account on this server."),
    field("Username", { name: "username", autocomplete: "username" }),
    field("Password", { name: "password", type: "password", autocomplete: "current-password" }),
    problem,
    button,
  );

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    problem.textContent = "";
    try {
      await logIn(form.elements.username.value, form.elements.password.value);
      await then();
    } catch (refused) {
      problem.textContent = refused.message;
    } finally {
      button.disabled = false;
    }
  }

  return form;
}

function field(label, attributes) {
  return element("label", {}, label, element("input", { required: true, ...attributes }));
}
