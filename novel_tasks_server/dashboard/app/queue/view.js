// The queue.
import { useEffect, useState } from "preact/hooks";
import { API, call } from "../api.js";
import { html } from "../html.js";
import { say } from "../say.js";
import { t } from "../words.js";

/** Lanes and workers. */
export function QueueView() {
  const [queue, setQueue] = useState(null);
  useEffect(() => void call("GET", `${API}/queue`).then(setQueue, (problem) => say(problem.text, { kind: "bad" })), []);
  return html`
    <h1>${t("nav.queue")}</h1>
    ${queue && html`<ul>${queue.queues.map((lane) => html`<li key=${lane.processor}>${lane.processor}: ${lane.ready}</li>`)}</ul>`}
  `;
}
