// What happened to the task, from the upload to now.
import { useState } from "preact/hooks";
import { ago, clock, duration, moment, number } from "../format.js";
import { html } from "../html.js";
import { Fault, Foreign, languageOf } from "../told.js";
import { t } from "../words.js";
import { entriesOf, shortened } from "./history.js";
import { useNow } from "./now.js";

const MOST = 12;

/** The story of a task. */
export function Timeline({ store }) {
  const [isWhole, showAll] = useState(false);
  const task = store.task.value;
  const entries = entriesOf(task, store.events.value);
  const { first, last, hidden } = isWhole ? { first: entries, last: [], hidden: 0 } : shortened(entries, MOST);
  return html`
    <section class="card" aria-labelledby="history">
      <h2 id="history">${t("task.history")}</h2>
      <ol class="timeline">
        ${first.map((entry) => html`<${Entry} key=${entry.key} ...${entry} />`)}
        ${
          hidden > 0 &&
          html`<li class="more"><button type="button" class="secondary small" onClick=${() => showAll(true)}>${t("task.history.more", { n: hidden })}</button></li>`
        }
        ${last.map((entry) => html`<${Entry} key=${entry.key} ...${entry} />`)} <${Waiting} task=${task} since=${entries.at(-1).at} />
      </ol>
    </section>
  `;
}

function Entry({ seq, kind, at, tone, gap, seconds, event }) {
  return html`
    <li class=${tone} data-seq=${seq || null}>
      ${gap && html`<span class="gap">${t(`task.gap.${gap}`, { time: duration(seconds) })}</span>`}
      <div class="what">
        <span>${t(`task.event.${kind}`, { attempt: event.attempt ?? 0, worker: String(event.worker_id ?? ""), priority: event.priority ?? 0 })}</span>
        <time datetime=${at} title=${`${moment(at)}, ${ago(at)}`}>${isSameDay(at) ? clock(at) : moment(at)}</time>
      </div>
      <${Detail} kind=${kind} event=${event} />
    </li>
  `;
}

const isSameDay = (at) => new Date(at).toDateString() === new Date().toDateString();

function Detail({ kind, event }) {
  if (event.error) {
    return html`
      <p class="detail"><b lang="en">${event.error.type}</b> <${Fault} error=${event.error} /></p>
      ${event.run_at && html`<p class="detail quiet">${t("task.event.next", { when: moment(event.run_at), time: duration((Date.parse(event.run_at) - Date.parse(event.at)) / 1000) })}</p>`}
    `;
  }
  return (kind === "cancelled" || kind === "released") && event.reason
    ? html`<p class="detail"><${Foreign} text=${event.reason} /></p>`
    : null;
}

/** The last entry of a task that is not finished: what it does now, and for how long already. */
function Waiting({ task, since }) {
  const isOpen = task.status === "pending" || task.status === "processing";
  const now = useNow(isOpen);
  if (!isOpen) return null;
  const time = duration(Math.max(0, Math.floor((now - Date.parse(since)) / 1000)));
  const words =
    task.status === "pending"
      ? "task.now.pending"
      : task.cancel_requested
        ? "task.now.stopping"
        : "task.now.processing";
  return html`<li class="now"><div class="what"><span>${t(words, { time })}</span></div></li>`;
}

/** The finished attempts. */
export function Attempts({ store }) {
  const attempts = store.attempts.value;
  if (attempts.length < 2) return null; // the history says as much
  return html`
    <section class="card" aria-labelledby="attempts">
      <h2 id="attempts">${t("task.attempts")} <span class="quiet">${number(attempts.length)}</span></h2>
      <ol class="attempts">
        ${attempts
          .slice(-50)
          .reverse()
          .map((attempt) => html`<${Attempt} key=${attempt.number} ...${attempt} />`)}
      </ol>
      ${attempts.length > 50 && html`<p class="quiet">${t("task.attempts.last", { n: 50 })}</p>`}
    </section>
  `;
}

const OUTCOMES = { completed: "completed", cancelled: "cancelled", released: "cancelled" };

function Attempt({ number: attempt, worker_id, started_at, duration_seconds, outcome, error }) {
  return html`
    <li>
      <div class="what">
        <span>${t("task.attempt", { attempt })}</span>
        <span class="status ${OUTCOMES[outcome] ?? "failed"}">${t(`task.outcome.${outcome}`)}</span>
        <span class="number quiet">${duration(duration_seconds)}</span>
      </div>
      <div class="quiet">${t("task.attempt.on", { worker: String(worker_id), when: moment(started_at) })}</div>
      ${
        error &&
        html`
        <details>
          <summary><b lang="en">${error.type}</b> <${Fault} error=${{ ...error, message: error.message.split("\n", 1)[0] }} /></summary>
          <pre tabindex="0" role="group" lang=${languageOf(error.message)} aria-label=${t("task.error.details")}>${error.message}</pre>
        </details>
      `
      }
    </li>
  `;
}
