// What went wrong, where the eye is, and the way on: first the one that can help.
import { mayWrite } from "../access.js";
import { number } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { errorOf, Foreign, languageOf, readError, stageText } from "../told.js";
import { t } from "../words.js";
import { ActionButton, mayProcessAgain, retry } from "./actions.js";

const LONG = 400;

/** The error of a failed task. */
export function Failed({ store }) {
  const task = store.task.value;
  if (task.status !== "failed") return null;
  const error = errorOf(task);
  return html`
    <section class="card failure" aria-labelledby="failure">
      <h2 id="failure">${t("task.failed")}</h2>
      <p class="type" lang="en">${error.type}</p>
      <${Told} error=${error} />
      <p class="quiet">
        ${task.stage && html`${t("task.failed.at", { stage: stageText(task.stage), percent: number(task.progress) })} `}
        ${t("task.failed.attempts", { n: task.attempt })} ${t(`task.hint.${hintOf(error)}`)}
      </p>
      ${mayWrite.value && html`<p class="ways"><${Ways} store=${store} error=${error} /></p>`}
    </section>
  `;
}

/** What it said, in short; and in full, where that is more. */
function Told({ error }) {
  const { words, message } = readError(error);
  const [first, ...rest] = error.message.split("\n");
  const isLong = rest.length > 0 || first.length > LONG;
  const short = html`<${Foreign} text=${first.length > LONG ? `${first.slice(0, LONG)}…` : first} />`;
  const isWhole = !isLong && (words === null || message !== null);
  return html`
    <p class="told">${words === null ? short : message ? html`${words}${t("told.colon")}${short}` : words}</p>
    ${
      !isWhole &&
      html`
      <details>
        <summary>${t("task.error.details")}</summary>
        <pre tabindex="0" role="group" lang=${languageOf(error.message)} aria-label=${t("task.error.details")}>${error.message}</pre>
      </details>
    `
    }
  `;
}

/**
 * Both ways on. What fails again however often it is tried is processed otherwise, if it can be; where no novel is in
 * the file neither way leads far.
 */
function Ways({ store, error }) {
  const isOtherwise = mayProcessAgain(store.task.value);
  const again = isOtherwise && {
    icon: "copy",
    words: t("act.again.more"),
    run: () => (store.asksAgain.value = true),
  };
  const once = { icon: "retry", words: t("act.retry"), run: () => retry(store) };
  const ways = (error.permanent ? [again, once] : [once, again]).filter(Boolean);
  return ways.map(
    ({ icon, words, run }, place) =>
      html`<${ActionButton} key=${icon} store=${store} kind=${place || isNoNovel(error) ? "secondary" : ""} onClick=${run}><${Icon} name=${icon} /> ${words}<//>`,
  );
}

const HINTS = {
  DecodingError: "decoding",
  InvalidOptionsError: "options",
  TaskTimeoutError: "timeout",
  ChildCrashedError: "crash",
  worker_lost: "lost",
  ExternalError: "external",
};
const NO_NOVEL = new Set(["empty", "blank", "other_format"]);
const isNoNovel = ({ type, details = {} }) => type === "DecodingError" && NO_NOVEL.has(details.kind);

function hintOf(error) {
  if (isNoNovel(error)) return "novel";
  return error.details?.kind === "other_encoding" ? "encoding" : (HINTS[error.type] ?? "other");
}
