// The queue: what waits, what runs, who runs it, how fast, and what is in the way.
import { API, call } from "../api.js";
import { Failure } from "../failure.js";
import { duration, number } from "../format.js";
import { html } from "../html.js";
import { usePolled } from "../polling.js";
import { t } from "../words.js";
import { History, WINDOWS } from "./history.js";
import { Lanes } from "./lanes.js";
import { Obstacles, obstacles, Workers } from "./workers.js";

const EVERY_SECONDS = 2;

async function load(signal) {
  const [queue, known] = await Promise.all([call("GET", `${API}/queue`, { signal }), outside(signal)]);
  return { ...queue, outside: known };
}

let known = null;

/** The processors whose work outside services do, which no worker takes; they do not change while the server runs. */
async function outside(signal) {
  known ??= new Set(
    (await call("GET", `${API}/processors`, { signal })).processors
      .filter(({ runs_in }) => runs_in === "outside")
      .map(({ name }) => name),
  );
  return known;
}

/** The whole view; `query` may choose `minutes` and `processor` of the charts. */
export function View({ query }) {
  const { data, problem, reload } = usePolled(load, EVERY_SECONDS);
  const minutes = WINDOWS.find((each) => String(each) === query.minutes) ?? WINDOWS[0];
  const processors = data ? data.queues.map(({ processor }) => processor) : [];
  return html`
    <h1>${t("nav.queue")}</h1>
    ${problem && html`<${Failure} problem=${problem} onRetry=${reload} isOld=${data !== null} />`}
    ${data && html`<${Obstacles} found=${obstacles(data.queues, data.workers, data.outside)} /><${Totals} ...${data} />`}
    <${History} minutes=${minutes} processor=${query.processor ?? null} processors=${processors} />
    ${data && html`<${Lanes} lanes=${data.queues} onChange=${reload} /><${Workers} workers=${data.workers} />`}
  `;
}

function Totals({ queues, workers }) {
  const sum = (name) => queues.reduce((total, lane) => total + lane[name], 0);
  const slots = workers.filter(({ state }) => state === "running").reduce((total, worker) => total + worker.slots, 0);
  const oldest = Math.max(-1, ...queues.map(({ oldest_seconds: seconds }) => seconds ?? -1));
  return html`
    <dl class="totals">
      <${Total} name=${t("queue.ready")} value=${number(sum("ready"))} hint=${t("queue.ready.hint")} />
      <${Total} name=${t("queue.scheduled")} value=${number(sum("scheduled"))} hint=${t("queue.scheduled.hint")} />
      <${Total} name=${t("queue.processing")} value=${number(sum("processing"))} hint=${t("queue.processing.hint", { n: slots })} />
      <${Total} name=${t("queue.oldest")} value=${oldest < 0 ? "–" : duration(oldest)} hint=${oldest < 0 ? t("queue.oldest.none") : ""} />
    </dl>
  `;
}

function Total({ name, value, hint }) {
  return html`<div class="card"><dt>${name}</dt><dd class="number">${value}</dd><dd class="quiet">${hint}</dd></div>`;
}
