// The files of a task: what was uploaded and what came of it.
import { size } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { artifact, download } from "../links.js";
import { t } from "../words.js";
import { Copy } from "./copy.js";

/** A button that downloads a file. */
export function Download({ id, file, name, children, kind = "secondary small" }) {
  return html`
    <button type="button" class=${kind} aria-label=${t("task.files.download", { name })} title=${t("task.files.download", { name })} onClick=${() => download(id, file)}>
      <${Icon} name="download" /> ${children}
    </button>
  `;
}

/** The list of files, the source first. */
export function Files({ store }) {
  const task = store.task.value;
  const made = store.artifacts.value ?? [];
  if (task.file_name === null && made.length === 0) return null;
  return html`
    <section class="card" aria-labelledby="files">
      <h2 id="files">${t("task.files")}</h2>
      <ul class="files">
        ${task.file_name !== null && html`<${File} id=${task.id} file="source" name=${task.file_name} kind=${t("task.files.source")} bytes=${task.file_size} />`}
        ${made.map((one) => html`<${File} key=${one.name} id=${task.id} file=${artifact(one.name)} name=${one.name} kind=${one.content_type.split(";")[0]} bytes=${one.size} sha256=${one.sha256} />`)}
      </ul>
    </section>
  `;
}

function File({ id, file, name, kind, bytes, sha256 = null }) {
  return html`
    <li>
      <div class="about">
        <span class="name" dir="auto">${name}</span>
        <span class="quiet">${kind} · ${size(bytes)}</span>
        ${sha256 && html`<span class="quiet digest"><abbr title=${sha256}>SHA-256 ${sha256.slice(0, 12)}…</abbr> <${Copy} text=${sha256} of=${t("task.files.digest", { name })} /></span>`}
      </div>
      <${Download} id=${id} file=${file} name=${name} kind="icon" />
    </li>
  `;
}
