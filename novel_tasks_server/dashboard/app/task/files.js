// The files of a task: what was uploaded and what came of it. The browser fetches them by links that are signed for a
// few minutes, since it can send no token with them.
import { call, local, problemOf, taskPath, unreachable } from "../api.js";
import { size } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { say } from "../say.js";
import { t } from "../words.js";
import { Copy } from "./copy.js";

/** The name of an artifact among the files of a task. */
export const artifact = (name) => `artifacts/${name}`;

/** An address of this file for a few minutes, relative to the page. Raises a Problem, also when the file itself is gone. */
export async function linkTo(id, file) {
  const { url } = await call("POST", taskPath(id, "/links"), { body: { file } });
  const response = await fetch(local(url), { headers: { Range: "bytes=0-0" } }).catch(() => {
    throw unreachable();
  });
  const body = await response.text();
  if (!response.ok && response.status !== 416)
    throw problemOf(response.status, body, (name) => response.headers.get(name));
  return local(url);
}

/** Have the browser download a file. */
export async function download(id, file) {
  try {
    const anchor = document.createElement("a");
    anchor.href = `${await linkTo(id, file)}&download=1`;
    anchor.download = "";
    anchor.click();
  } catch (problem) {
    say(problem.text ?? String(problem), { kind: "bad" });
  }
}

/** Show a file in a tab of its own, which is opened at once, since browsers allow it only while a click is fresh. */
export async function openInTab(id, file) {
  const tab = open("", "_blank");
  try {
    const link = await linkTo(id, file);
    if (!tab) throw new Error(t("task.files.blocked"));
    tab.opener = null;
    tab.location.replace(new URL(link, document.baseURI.split("#")[0]).href);
  } catch (problem) {
    tab?.close();
    say(problem.text ?? problem.message, { kind: "bad" });
  }
}

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
