// What went wrong, where the eye is, and the way on.
import { mayWrite } from "../access.js";
import { html } from "../html.js";
import { number } from "../format.js";
import { t } from "../words.js";
import { ActionButton, retry } from "./actions.js";

const LONG = 400;

/** The error of a failed task. */
export function Failed({ store }) {
  const task = store.task.value;
  if (task.status !== "failed") return null;
  const error = task.error ?? { type: t("task.failed"), message: task.error_message ?? "" };
  const [first, ...rest] = error.message.split("\n");
  const isLong = rest.length > 0 || first.length > LONG;
  return html`
    <section class="card failure" aria-labelledby="failure">
      <h2 id="failure">${t("task.failed")}</h2>
      <p class="type">${error.type}</p>
      <p class="told" dir="auto">${first.length > LONG ? `${first.slice(0, LONG)}…` : first}</p>
      ${
        isLong &&
        html`
        <details>
          <summary>${t("task.error.details")}</summary>
          <pre tabindex="0" role="group" aria-label=${t("task.error.details")}>${error.message}</pre>
        </details>
      `
      }
      <p class="quiet">
        ${task.stage && html`${t("task.failed.at", { stage: task.stage, percent: number(task.progress) })} `}
        ${t("task.failed.attempts", { n: task.attempt })} ${hint(error.type)}
      </p>
      ${mayWrite.value && html`<${ActionButton} store=${store} kind="" onClick=${() => retry(store)}>${t("task.retry.again")}<//>`}
    </section>
  `;
}

const HINTS = {
  DecodingError: "decoding",
  InvalidOptionsError: "options",
  TaskTimeoutError: "timeout",
  ChildCrashedError: "crash",
  worker_lost: "lost",
  ExternalError: "external",
};

function hint(type) {
  return HINTS[type] ? t(`task.hint.${HINTS[type]}`) : t("task.hint.other");
}
