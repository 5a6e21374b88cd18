// The report, shown within the page: in a frame that may run nothing.
import { useEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { t } from "../words.js";
import { artifact, Download, linkTo, openInTab } from "./files.js";

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
  useEffect(load, [task.id, task.attempt]);
  useEffect(() => box.current.scrollIntoView({ block: "nearest" }), []);
  const name = task.file_name ?? task.id;
  return html`
    <section class="card report" aria-labelledby="report" ref=${box}>
      <header>
        <h2 id="report">${t("task.report")}</h2>
        <div class="tools">
          ${document.fullscreenEnabled &&
          html`<button type="button" class="icon" title=${t("task.report.full")} aria-label=${t("task.report.full")} onClick=${() => fullScreen(box.current)}><${Icon} name="full" /></button>`}
          <button type="button" class="icon" title=${t("task.report.tab")} aria-label=${t("task.report.tab")} onClick=${() => openInTab(task.id, FILE)}><${Icon} name="open" /></button>
          <${Download} id=${task.id} file=${FILE} name=${REPORT} kind="icon" />
          <button type="button" class="icon" title=${t("task.report.close")} aria-label=${t("task.report.close")} onClick=${onClose}><${Icon} name="cross" /></button>
        </div>
      </header>
      ${problem && html`<div class="notice bad" role="alert"><p>${problem.text}</p><button type="button" class="secondary small" onClick=${load}>${t("error.again")}</button></div>`}
      ${link && !problem && html`<iframe class=${isLoaded ? "" : "loading"} sandbox="" src=${link} title=${t("task.report.of", { name })} onLoad=${() => setLoaded(true)}></iframe>`}
    </section>
  `;
}

function fullScreen(element) {
  if (document.fullscreenElement) document.exitFullscreen();
  else element.requestFullscreen().catch(() => {});
}
