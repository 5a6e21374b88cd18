// The queue of each processor, to be paused and resumed.
import { isAdmin } from "../access.js";
import { API, call } from "../api.js";
import { confirm } from "../dialog.js";
import { duration, number } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { href } from "../router.js";
import { say } from "../say.js";
import { sayProblem } from "../told.js";
import { t } from "../words.js";

/** A table of lanes; `onChange` is called after one was paused or resumed. */
export function Lanes({ lanes, onChange }) {
  return html`
    <section class="card" aria-labelledby="lanes-title">
      <h2 id="lanes-title">${t("queue.lanes")}</h2>
      <table class="rows">
        <thead>
          <tr>
            <th scope="col">${t("queue.processor")}</th>
            <th scope="col">${t("queue.lanes.state")}</th>
            <th scope="col" class="number">${t("queue.ready")}</th>
            <th scope="col" class="number">${t("queue.scheduled")}</th>
            <th scope="col" class="number">${t("queue.processing")}</th>
            <th scope="col" class="number">${t("queue.oldest")}</th>
            ${isAdmin.value && html`<td></td>`}
          </tr>
        </thead>
        <tbody>${lanes.map((lane) => html`<${Lane} key=${lane.processor} lane=${lane} onChange=${onChange} />`)}</tbody>
      </table>
    </section>
  `;
}

function Lane({ lane, onChange }) {
  const count = (name, status) => html`
    <td class="number" data-name=${t(`queue.${name}`)}>
      ${lane[name] ? html`<a href=${href("tasks", { status, processor: lane.processor })}>${number(lane[name])}</a>` : "0"}
    </td>
  `;
  return html`
    <tr>
      <th scope="row" data-name=${t("queue.processor")}>${lane.processor}</th>
      <td data-name=${t("queue.lanes.state")}>
        <span class="status ${lane.paused ? "pending" : "completed"}">${t(lane.paused ? "queue.lanes.isPaused" : "queue.lanes.running")}</span>
      </td>
      ${count("ready", "pending")} ${count("scheduled", "pending")} ${count("processing", "processing")}
      <td class="number" data-name=${t("queue.oldest")}>${duration(lane.oldest_seconds)}</td>
      ${isAdmin.value && html`<td class="number"><${Switch} lane=${lane} onChange=${onChange} /></td>`}
    </tr>
  `;
}

function Switch({ lane, onChange }) {
  const what = lane.paused ? "resume" : "pause";
  const { processor } = lane;
  const run = async () => {
    const question = {
      title: t("queue.lanes.ask", { processor }),
      body: t("queue.lanes.ask.body"),
      action: t("queue.lanes.pause"),
    };
    if (what === "pause" && !(await confirm(question))) return;
    try {
      await call("POST", `${API}/queue/${encodeURIComponent(processor)}/${what}`);
      say(t(`queue.lanes.done.${what}`, { processor }), { kind: "good" });
    } catch (problem) {
      sayProblem(problem);
    }
    onChange();
  };
  return html`
    <button type="button" class="secondary small" aria-label=${t(`queue.lanes.${what}.of`, { processor })} onClick=${run}>
      <${Icon} name=${lane.paused ? "play" : "pause"} /> ${t(`queue.lanes.${what}`)}
    </button>
  `;
}
