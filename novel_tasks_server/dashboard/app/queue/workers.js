// Who does the work, and what keeps it from being done.
import { duration, listed } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";

const START = "novel-tasks worker";
const BADGES = { running: "completed", draining: "pending", silent: "failed" };

/** What keeps ready tasks from being run: `{processor, ready, kind}`, kind "paused" or "none" (no worker takes them). */
export function obstacles(queues, workers, outside) {
  const takes = (worker, processor) =>
    worker.state === "running" && !worker.silent && (worker.processors?.includes(processor) ?? true);
  return queues
    .filter(({ ready, processor }) => ready && !outside.has(processor))
    .map((lane) => ({
      ...lane,
      kind: lane.paused ? "paused" : workers.some((worker) => takes(worker, lane.processor)) ? null : "none",
    }))
    .filter(({ kind }) => kind);
}

/** What keeps ready tasks from being run, and what to do. */
export function Obstacles({ found }) {
  return found.map(
    ({ processor, ready, kind }) => html`
      <p key=${processor} class="notice ${kind === "none" ? "bad" : ""}" role="alert">
        ${t(`queue.${kind}`, { processor, waiting: t("queue.none.waiting", { n: ready }) })} ${kind === "none" && html`<code>${START}</code>`}
      </p>
    `,
  );
}

/** A table of workers. */
export function Workers({ workers }) {
  return html`
    <section class="card" aria-labelledby="workers-title">
      <h2 id="workers-title">${t("queue.workers")}</h2>
      ${
        workers.length === 0
          ? html`<p>${t("queue.workers.none")} <code>${START}</code></p>`
          : html`
            <table class="rows">
              <thead>
                <tr>
                  <th scope="col">${t("queue.worker")}</th>
                  <th scope="col">${t("queue.lanes.state")}</th>
                  <th scope="col">${t("queue.worker.slots")}</th>
                  <th scope="col">${t("queue.worker.takes")}</th>
                  <th scope="col">${t("queue.worker.place")}</th>
                  <th scope="col" class="number">${t("queue.worker.beat")}</th>
                </tr>
              </thead>
              <tbody>${workers.map((worker) => html`<${Worker} key=${worker.id} worker=${worker} />`)}</tbody>
            </table>
          `
      }
    </section>
  `;
}

function Worker({ worker }) {
  const { id, name, version, slots, running, beat_seconds, processors, host, pid } = worker;
  const state = worker.silent ? "silent" : worker.state;
  const busy = t("queue.worker.busy", { n: running, slots });
  return html`
    <tr>
      <th scope="row" data-name=${t("queue.worker")}>${name || `#${id}`} <small class="quiet">${version}</small></th>
      <td data-name=${t("queue.lanes.state")}>
        <span class="status ${BADGES[state]}">${t(`queue.worker.state.${state}`)}</span>
      </td>
      <td data-name=${t("queue.worker.slots")}>
        <span class="slots"><progress max=${slots} value=${running} aria-label=${busy}></progress> <span class="number">${running} / ${slots}</span></span>
      </td>
      <td data-name=${t("queue.worker.takes")}>${processors ? listed(processors) : t("queue.worker.all")}</td>
      <td data-name=${t("queue.worker.place")}>${host ? `${host} (${pid})` : "–"}</td>
      <td class="number" data-name=${t("queue.worker.beat")}>${duration(beat_seconds)}</td>
    </tr>
  `;
}
