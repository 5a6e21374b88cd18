// Short messages: shown in a corner, and read out. What went wrong stays until it is dismissed.
import { signal } from "@preact/signals";
import { html } from "./html.js";
import { t } from "./words.js";

const STAYS_MS = 6000;
const MOST = 4;
const messages = signal([]);
const spoken = signal("");
let last = 0;

/**
 * Show a message. `kind` is "good", "info" or "bad"; `action` is an optional `{label, run}` shown as a button; `drawn` is
 * the text as it is drawn, where that is more than a text.
 * Returns a function that takes it away.
 */
export function say(text, { kind = "info", action = null, drawn = text } = {}) {
  const id = ++last;
  const dismiss = () => (messages.value = messages.value.filter((message) => message.id !== id));
  const others = messages.value.filter((message) => message.text !== text);
  messages.value = fitting([...others, { id, text, drawn, kind, action, dismiss }]);
  if (kind !== "bad" && !action) setTimeout(dismiss, STAYS_MS);
  return dismiss;
}

/** At most so many; what went wrong goes last. */
function fitting(all) {
  if (all.length <= MOST) return all;
  const oldest = all.find(({ kind }) => kind !== "bad") ?? all[0];
  return fitting(all.filter((message) => message !== oldest));
}

/** Have a screen reader say something that is to be seen anyway. */
export function announce(text) {
  spoken.value = "";
  requestAnimationFrame(() => (spoken.value = text));
}

/** The corner where messages appear. */
export function Messages() {
  return html`
    <div class="messages" role="region" aria-label=${t("say.region")}>
      <div role="status" aria-live="polite">
        ${messages.value.map(
          (message) => html`
            <div key=${message.id} class="message ${message.kind}" role=${message.kind === "bad" ? "alert" : undefined}>
              <p>${message.drawn}</p>
              ${
                message.action &&
                html`<button type="button" class="small" onClick=${() => (message.dismiss(), message.action.run())}>${message.action.label}</button>`
              }
              <button type="button" class="icon" aria-label=${t("say.dismiss")} onClick=${message.dismiss}>×</button>
            </div>
          `,
        )}
      </div>
      <div class="unseen" role="status" aria-live="polite">${spoken}</div>
    </div>
  `;
}
