// How far the task is, while it is not finished.
import { html } from "../html.js";
import { duration, number } from "../format.js";
import { stageText } from "../told.js";
import { t } from "../words.js";
import { useNow } from "./now.js";

/** Bar, percent, what is worked on, how long it takes. */
export function Progress({ task }) {
  const isRunning = task.status === "processing";
  const now = useNow(isRunning);
  if (!isRunning) return null;
  const ran = Math.max(0, Math.floor((now - Date.parse(task.started_at)) / 1000));
  return html`
    <section class="card progress" aria-labelledby="progress">
      <h2 id="progress" class="unseen">${t("task.progress")}</h2>
      <div class="figures">
        <span class="percent number">${number(task.progress)}<small>%</small></span>
        <span class="stage" dir="auto">${stageText(task.stage) || t("task.progress.starting")}</span>
        <span class="number quiet">
          ${task.eta_seconds === null || task.eta_seconds === undefined ? t("task.progress.ran", { time: duration(ran) }) : t("task.progress.eta", { time: duration(Math.ceil(task.eta_seconds)) })}
          ${task.attempt > 1 && html` · ${t("task.attempt", { attempt: task.attempt })}`}
        </span>
      </div>
      <progress max="100" value=${task.progress} aria-label=${t("task.progress")}></progress>
    </section>
  `;
}
