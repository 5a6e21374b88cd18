// Light, dark, or as the system has it.
import { effect, signal } from "@preact/signals";
import { recall, remember } from "./storage.js";

export const THEMES = ["auto", "light", "dark"];

/** The chosen colours: "auto", "light" or "dark". */
export const theme = signal(THEMES.includes(recall("theme")) ? recall("theme") : "auto");

const system = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark now; charts, which are painted, read it. */
export const isDark = signal(false);

effect(() => {
  remember("theme", theme.value === "auto" ? null : theme.value);
  // Always said, so that styles need to look at one place only.
  document.documentElement.dataset.theme = theme.value === "auto" ? (system.matches ? "dark" : "light") : theme.value;
  isDark.value = document.documentElement.dataset.theme === "dark";
});

system.addEventListener("change", () => {
  if (theme.value !== "auto") return;
  document.documentElement.dataset.theme = system.matches ? "dark" : "light";
  isDark.value = system.matches;
});
