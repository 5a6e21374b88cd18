// What the task is: its name, its state, who asked for what and when.
import { ago, duration, moment, number, size } from "../format.js";
import { html } from "../html.js";
import { catalogue } from "../uploads/catalogue.js";
import { t } from "../words.js";
import { Copy } from "./copy.js";
import { useNow } from "./now.js";
import { chosen } from "./options.js";

/** Name, state and the facts of one line. */
export function Head({ store }) {
  const task = store.task.value;
  const now = useNow();
  return html`
    <header class="head">
      <h1 id="title" tabindex="-1"><bdi>${task.file_name ?? t("task.nameless")}</bdi> <${State} task=${task} /></h1>
      <p class="facts quiet">
        <span>${task.processor}</span>
        ${task.file_size !== null && html`<span>${size(task.file_size)}</span>`}
        <span title=${moment(task.uploaded_at)}>${t("task.came", { ago: ago(task.uploaded_at, now) })}</span>
        ${task.completed_at && task.started_at && html`<span>${t("task.took", { time: duration((Date.parse(task.completed_at) - Date.parse(task.started_at)) / 1000) })}</span>`}
        ${task.attempt > 1 && html`<span>${t("task.attempts.count", { n: task.attempt })}</span>`}
      </p>
    </header>
  `;
}

function State({ task }) {
  const isStopping = task.status === "processing" && task.cancel_requested;
  return html`<span class="status ${task.status}" role="status">${isStopping ? t("task.stopping") : t(`status.${task.status}`)}</span>`;
}

/** All the rest that is known of it. */
export function Details({ store }) {
  const task = store.task.value;
  const processor = catalogue.value?.processors.find(({ name }) => name === task.processor);
  const rows = [
    ["id", html`<span class="id"><code>${task.id}</code> <${Copy} text=${task.id} of=${t("task.fact.id")} /></span>`],
    ["processor", task.processor],
    ["options", html`<${Json} value=${chosen(task.options, processor)} label=${t("task.fact.options")} />`],
    ["owner", task.owner && html`<bdi>${task.owner}</bdi>`],
    ["session", task.session_id && html`<bdi>${task.session_id}</bdi>`],
    ["priority", number(task.priority)],
    ["size", task.file_size !== null && size(task.file_size)],
    ["created", moment(task.uploaded_at)],
    ["scheduled", task.run_at && moment(task.run_at)],
    ["started", task.started_at && moment(task.started_at)],
    ["finished", task.completed_at && moment(task.completed_at)],
    ["attempts", task.max_attempts && t("task.fact.attempts.most", { n: task.max_attempts })],
    ["timeout", task.timeout_seconds && duration(task.timeout_seconds)],
    [
      "extra",
      Object.keys(task.extra_data).length > 0 &&
        html`<${Json} value=${task.extra_data} label=${t("task.fact.extra")} />`,
    ],
  ];
  return html`
    <section class="card" aria-labelledby="details">
      <h2 id="details">${t("task.details")}</h2>
      <dl class="details">
        ${rows.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${t(`task.fact.${name}`)}</dt><dd>${value}</dd></div>`)}
      </dl>
    </section>
  `;
}

function Json({ value, label }) {
  if (Object.keys(value).length === 0) return t("task.fact.defaults");
  return html`<pre tabindex="0" role="group" aria-label=${label}>${JSON.stringify(value, null, 2)}</pre>`;
}
