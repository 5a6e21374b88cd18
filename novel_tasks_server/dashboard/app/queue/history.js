// What the queue did over time: how many tasks came and went, how long they waited and ran.
import { API, call } from "../api.js";
import { Chart } from "../chart.js";
import { Failure } from "../failure.js";
import { duration, number } from "../format.js";
import { html } from "../html.js";
import { usePolled } from "../polling.js";
import { go, href } from "../router.js";
import { t } from "../words.js";

export const WINDOWS = [60, 1440, 10080];
const EVERY_SECONDS = 10;

/** Charts of the last `minutes`, of one processor or all; the choice stands in the address. */
export function History({ minutes, processor, processors }) {
  const load = (signal) => call("GET", `${API}/queue/history`, { query: { minutes, processor }, signal });
  const { data, problem, reload } = usePolled(load, EVERY_SECONDS, `${minutes} ${processor}`);
  const choose = (change) =>
    go(href("queue", { minutes: minutes === WINDOWS[0] ? null : minutes, processor, ...change }), { replace: true });
  return html`
    <div class="choices">
      <label>
        <span>${t("queue.window")}</span>
        <select value=${String(minutes)} onChange=${(event) => choose({ minutes: event.target.value })}>
          ${WINDOWS.map((each) => html`<option key=${each} value=${String(each)}>${t(`queue.window.${each}`)}</option>`)}
        </select>
      </label>
      <label>
        <span>${t("queue.processor")}</span>
        <select value=${processor ?? ""} onChange=${(event) => choose({ processor: event.target.value })}>
          <option value="">${t("queue.processor.all")}</option>
          ${processors.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select>
      </label>
    </div>
    ${problem && html`<${Failure} problem=${problem} onRetry=${reload} isOld=${data !== null} />`} ${data && html`<${Charts} history=${data} />`}
  `;
}

function Charts({ history }) {
  const { points, step_seconds: step, is_sample: isSample } = history;
  const times = points.map(({ at }) => Date.parse(at) / 1000);
  const values = (name) => points.map((point) => point[name]);
  const sum = (name) => points.reduce((total, point) => total + point[name], 0);
  const count = (name, colour, rest = {}) => ({ label: t(`queue.${name}`), colour, values: values(name), ...rest });
  const time = (name, colour, rest = {}) => ({
    label: t(`queue.${name.replace("_", ".")}`),
    colour,
    values: values(name),
    ...rest,
  });
  return html`
    ${isSample && html`<p class="notice">${t("queue.sample")}</p>`}
    <div class="charts">
      <section class="card" aria-labelledby="throughput-title">
        <h2 id="throughput-title">${t("queue.throughput")} <small class="quiet">${t("queue.throughput.each", { what: duration(step) })}</small></h2>
        <${Chart}
          label=${t("queue.throughput.label")}
          times=${times}
          write=${(value) => number(value)}
          isWhole=${true}
          series=${[count("completed", "completed", { kind: "bars" }), count("failed", "failed"), count("submitted", "accent", { dashed: true })]}
        />
        <dl class="figures">
          ${["submitted", "completed", "failed", "cancelled"].map((name) => html`<div key=${name}><dt>${t(`queue.${name}`)}</dt><dd class="number">${number(sum(name))}</dd></div>`)}
        </dl>
      </section>
      <section class="card" aria-labelledby="times-title">
        <h2 id="times-title">${t("queue.times")}</h2>
        <${Chart}
          label=${t("queue.times.label")}
          times=${times}
          write=${duration}
          series=${[
            time("wait_p50", "pending"),
            time("wait_p95", "pending", { dashed: true }),
            time("run_p50", "accent"),
            time("run_p95", "accent", { dashed: true }),
          ]}
        />
        <dl class="figures">
          ${["wait", "run"].flatMap((what) => ["p50", "p95"].map((part) => html`<div key=${what + part}><dt>${t(`queue.${what}.${part}`)}</dt><dd class="number">${duration(history[what][part])}</dd></div>`))}
        </dl>
        <p class="quiet">${t("queue.times.help")}</p>
      </section>
    </div>
  `;
}
