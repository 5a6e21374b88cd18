// The report, shown within the page: in a frame that may run nothing.
import { useEffect, useRef, useState } from "preact/hooks";
import { token } from "../access.js";
import { Failure } from "../failure.js";
import { nameOf } from "../format.js";
import { html } from "../html.js";
import { artifact, linkTo, openInTab } from "../links.js";
import { t } from "../words.js";
import { IconButton } from "./button.js";
import { Download } from "./files.js";

export const REPORT = "report.html";
const FILE = artifact(REPORT);

/** The report of a task with all that can be done with it; `onClose` hides it. */
export function Report({ task, onClose }) {
  const [link, setLink] = useState(null);
  const [problem, setProblem] = useState(null);
  const [isLoaded, setLoaded] = useState(false);
  const box = useRef(null);
  const load = () => {
    setProblem(null);
    linkTo(task.id, FILE).then(setLink, setProblem);
  };
  useEffect(load, [task.id, task.attempt, token.value]);
  useEffect(() => box.current.scrollIntoView({ block: "nearest" }), []);
  return html`
    <section class="card report" aria-labelledby="report" ref=${box}>
      <header>
        <h2 id="report">${t("task.report")}</h2>
        <div class="tools">
          ${
            document.fullscreenEnabled &&
            html`<${IconButton} icon="full" label=${t("task.report.full")} onClick=${() => fullScreen(box.current)} />`
          }
          <${IconButton} icon="open" label=${t("task.report.tab")} onClick=${() => openInTab(task.id, FILE)} />
          <${Download} id=${task.id} file=${FILE} name=${REPORT} kind="icon" />
          <${IconButton} icon="cross" label=${t("task.report.close")} onClick=${onClose} />
        </div>
      </header>
      ${problem && html`<${Failure} problem=${problem} onRetry=${load} />`}
      ${
        link &&
        !problem &&
        html`
        <iframe class=${isLoaded ? "" : "loading"} sandbox="" src=${link} title=${t("task.report.of", { name: nameOf(task) })} onLoad=${() => setLoaded(true)}></iframe>
      `
      }
    </section>
  `;
}

function fullScreen(element) {
  if (document.fullscreenElement) document.exitFullscreen();
  else element.requestFullscreen().catch(() => {});
}
