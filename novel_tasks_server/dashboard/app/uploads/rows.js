// The uploads one by one: those on their way and those that need a person open, the rest folded.
import { useState } from "preact/hooks";
import { call, taskPath } from "../api.js";
import { about, number, size } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { href } from "../router.js";
import { sayProblem } from "../told.js";
import { t } from "../words.js";
import { keepingFocus } from "./focus.js";
import { again, cancel, forget, summary, uploads } from "./queue.js";
import { faultOfUpload, settledText } from "./texts.js";

const SHOWN_WAITING = 3;
const MOST_FOLDED = 200;
const FEW = 5;

/** All uploads, in groups. */
export function Rows() {
  const groups = { active: [], waiting: [], open: [], settled: [] };
  for (const one of uploads.value) groups[groupOf(one.status)].push(one);
  const { waiting } = groups;
  const next = waiting.slice(0, SHOWN_WAITING);
  return html`
    <ul class="uploads" aria-label=${t("uploads.list")}>
      ${[...groups.open, ...groups.active, ...next].map((one) => html`<${Row} key=${one.id} one=${one} />`)}
    </ul>
    ${waiting.length > next.length && html`<${Folded} words=${t("uploads.more.waiting", { n: waiting.length - next.length })} those=${waiting.slice(next.length)} />`}
    ${groups.settled.length > 0 && html`<${Folded} words=${settledText(countsOf(groups.settled))} those=${groups.settled} isOpen=${groups.settled.length <= FEW} />`}
  `;
}

function groupOf(status) {
  if (status === "waiting") return "waiting";
  if (status === "sending" || status === "storing") return "active";
  return status === "done" || status === "known" ? "settled" : "open";
}

function countsOf(those) {
  const { done, known } = summary.value;
  return those.length ? { done, known } : {};
}

function Folded({ words, those, isOpen = false }) {
  const [wanted, setWanted] = useState(null);
  const isShown = wanted ?? isOpen;
  const toggle = (event) => (event.preventDefault(), setWanted(!isShown));
  return html`
    <details class="folded" open=${isShown}>
      <summary onClick=${toggle}>${words}</summary>
      ${
        isShown &&
        html`
        <ul class="uploads">
          ${those.slice(0, MOST_FOLDED).map((one) => html`<${Row} key=${one.id} one=${one} />`)}
        </ul>
        ${those.length > MOST_FOLDED && html`<p class="quiet">${t("uploads.more.folded", { n: those.length - MOST_FOLDED })}</p>`}
      `
      }
    </details>
  `;
}

function Row({ one }) {
  const { status, sent, task } = one.state.value;
  const isOpenEnd = status === "refused" || status === "failed" || status === "cancelled";
  const share = one.size ? sent / one.size : 0;
  return html`
    <li class="upload ${status}">
      <span class="name" title=${one.path}>${task ? html`<a href=${href(`tasks/${task}`)}>${one.path}</a>` : one.path}</span>
      <span class="quiet number size">${size(one.size)}</span>
      <span class="how ${isOpenEnd && status !== "cancelled" ? "bad" : "quiet"}">${howText(one)}</span>
      <span class="acts"><${Acts} one=${one} /></span>
      ${status === "sending" && html`<progress max="1" value=${share} aria-label=${t("uploads.progress", { name: one.path })}></progress>`}
      ${status === "storing" && html`<progress aria-label=${t("uploads.progress", { name: one.path })}></progress>`}
    </li>
  `;
}

function howText(one) {
  const { status, sent } = one.state.value;
  if (status === "sending") return t("uploads.sent", { share: `${number((100 * sent) / one.size)}%` });
  if (status === "refused" || status === "failed") return faultOfUpload(one.state.value);
  return t(`uploads.status.${status}`);
}

function Acts({ one }) {
  const { status, refusal } = one.state.value;
  const [isAsking, setAsking] = useState(false);
  const named = (words) => about(words, one.path);
  if (status === "waiting" || status === "sending")
    return html`<button type="button" class="icon" title=${t("uploads.cancel")} aria-label=${named(t("uploads.cancel"))} onClick=${keepingFocus(() => cancel(one))}><${Icon} name="cross" /></button>`;
  if (status === "known")
    return html`
      <button type="button" class="secondary small" disabled=${isAsking} aria-label=${named(t("act.again"))} onClick=${() => (setAsking(true), anyway(one).finally(keepingFocus(() => setAsking(false))))}>
        ${t("act.again")}
      </button>
    `;
  if (status === "storing" || status === "done") return null;
  const isHopeless = status === "refused" && refusal;
  return html`
    ${!isHopeless && html`<button type="button" class="secondary small" aria-label=${named(t("error.again"))} onClick=${keepingFocus(() => again(one))}><${Icon} name="retry" /> ${t("error.again")}</button>`}
    <button type="button" class="icon" title=${t("uploads.forget")} aria-label=${named(t("uploads.forget"))} onClick=${keepingFocus(() => forget([one]))}><${Icon} name="cross" /></button>
  `;
}

/** Ask for the same work on the same novel once more: it is there already, so nothing needs to be sent. */
async function anyway(one) {
  const { processor, options, priority, run_at } = one.fields;
  const wanted = {
    processor,
    options: options ? JSON.parse(options) : {},
    priority: Number(priority ?? 0),
    on_duplicate: "allow",
    ...(run_at ? { run_at } : {}),
  };
  try {
    const made = await call("POST", taskPath(one.state.peek().task, "/process"), { body: wanted });
    one.set("done", { task: made.task_id });
  } catch (problem) {
    sayProblem(problem, { of: one.path });
  }
}
