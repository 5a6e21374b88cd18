// Copying, also where the page is not served in a way that browsers trust.
import { html } from "../html.js";
import { say } from "../say.js";
import { t } from "../words.js";
import { IconButton } from "./button.js";

/** Put `text` on the clipboard, and say so. */
export async function copy(text) {
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyBySelection(text);
    say(t("task.copied"), { kind: "good" });
  } catch {
    say(t("task.copy.failed"), { kind: "bad" });
  }
}

function copyBySelection(text) {
  const area = document.createElement("textarea");
  const focused = document.activeElement;
  area.value = text;
  document.body.append(area);
  area.select();
  const isDone = document.execCommand("copy");
  area.remove();
  focused?.focus();
  if (!isDone) throw new Error("not allowed");
}

/** A small button that copies `text`; `of` says what that is. */
export function Copy({ text, of }) {
  return html`<${IconButton} icon="copy" kind="icon copy" label=${t("task.copy", { what: of })} onClick=${() => copy(text)} />`;
}
