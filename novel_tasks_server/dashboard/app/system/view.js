// The system.
import { useEffect, useState } from "preact/hooks";
import { call } from "../api.js";
import { html } from "../html.js";
import { say } from "../say.js";
import { t } from "../words.js";

/** How the service is. */
export function SystemView() {
  const [health, setHealth] = useState(null);
  useEffect(() => void call("GET", "health").then(setHealth, (problem) => say(problem.text, { kind: "bad" })), []);
  return html`
    <h1>${t("nav.system")}</h1>
    ${health && html`<p>${health.status}</p>`}
  `;
}
