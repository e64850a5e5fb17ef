// Light or dark: as the system has it, unless one is chosen.

import { element } from "./dom.js";
import { choose, settings } from "./settings.js";

const system = matchMedia("(prefers-color-scheme: dark)");

export function isDark() {
  return settings.theme === "system" ? system.matches : settings.theme === "dark";
}

export function themeButton(redraw) {
  const button = element("button", { type: "button", onclick: toggle });

  function show() {
    document.documentElement.dataset.theme = isDark() ? "dark" : "light";
    button.textContent = isDark() ? "☀ Light" : "☾ Dark";
    button.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
  }

  function toggle() {
    choose({ theme: isDark() ? "light" : "dark" });
    show();
    redraw();
  }

  system.addEventListener("change", () => {
    show();
    redraw();
  });
  show();
  return button;
}
