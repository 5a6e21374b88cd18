// Where novels come in: the files, what is to be done with them, and how far they are.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { mayWrite } from "../access.js";
import { listed, number, size } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { followStatistics } from "../live.js";
import { useShortcut } from "../shortcuts.js";
import { recall, remember } from "../storage.js";
import { Refusal } from "../told.js";
import { t } from "../words.js";
import { catalogue, catalogueProblem, loadCatalogue } from "./catalogue.js";
import { fields } from "./choices.js";
import { Choosing } from "./choosing.js";
import { takeChosen } from "./drop.js";
import { keepingFocus } from "./focus.js";
import { Overall } from "./overall.js";
import { forget, isBusy, resumeWithChoices, uploads, waitsForChoices } from "./queue.js";
import { Rows } from "./rows.js";

/** Whether there are tasks: then the panel is small. Remembered, so that it does not shrink before one's eyes. */
const hasTasks = signal(recall("uploads.known") !== null);

function hear({ statistics }) {
  hasTasks.value = statistics.total > 0;
  remember("uploads.known", hasTasks.value ? "yes" : null);
}

/** The drop zone, the button, the choices, and the uploads of this window. */
export function UploadPanel() {
  useEffect(() => followStatistics(hear), []);
  if (!mayWrite.value) return html`<p class="quiet" id="uploads">${t("uploads.forbidden")}</p>`;
  const isSmall = hasTasks.value || uploads.value.length > 0;
  return html`
    <section class="card uploading ${isSmall ? "small" : "inviting"}" id="uploads" tabindex="-1" aria-labelledby="uploads-title">
      <div class="zone">
        <div class="zone-files"><${Files} isSmall=${isSmall} /></div>
        ${catalogue.value ? html`<${Choosing} />` : html`<${Unknown} />`}
      </div>
      <${Waiting} /> ${uploads.value.length > 0 && html`<${Overall} /><${Rows} /><${Settled} />`}
    </section>
  `;
}

function Files({ isSmall }) {
  const field = useRef(null);
  useShortcut("u", "uploads.key", () => field.current?.click());
  const { allowed_extensions: allowed, limits } = catalogue.value?.meta ?? {};
  return html`
    ${!isSmall && html`<span class="zone-picture"><${Icon} name="upload" /></span>`}
    <h2 id="uploads-title" class=${isSmall ? "unseen" : ""}>${t(isSmall ? "uploads.title" : "uploads.title.first")}</h2>
    <label class="button"><${Icon} name="upload" /> ${t("uploads.choose")}<input ref=${field} type="file" class="unseen" multiple accept=${allowed?.join(",")} onChange=${takeChosen} /></label>
    <p class="quiet"><span class="hint">${t("uploads.hint")}</span>${allowed && ` ${t("uploads.limits", { allowed: listed(allowed), limit: size(limits.max_file_size) })}`}</p>
  `;
}

function Unknown() {
  const problem = catalogueProblem.value;
  if (!problem) return html`<div class="choosing"></div>`;
  return html`
    <div class="choosing">
      <p class="bad" role="alert"><${Refusal} problem=${problem} /></p>
      <button type="button" class="secondary small" onClick=${loadCatalogue}><${Icon} name="retry" /> ${t("error.again")}</button>
    </div>
  `;
}

/** Novels that wait for the choices to be put right. */
function Waiting() {
  if (!waitsForChoices.value) return null;
  const n = uploads.value.filter((one) => one.status === "waiting" && one.fields === null).length;
  return html`
    <div class="notice" role="status">
      <span>${t(fields.value ? "uploads.corrected" : "uploads.correct", { n })}</span>
      <button type="button" class="small" disabled=${!fields.value} onClick=${keepingFocus(resumeWithChoices)}>${t("uploads.add", { n: number(n) })}</button>
    </div>
  `;
}

function Settled() {
  if (isBusy.value) return null;
  return html`<p class="settled"><button type="button" class="secondary small" onClick=${keepingFocus(() => forget())}>${t("uploads.clear")}</button></p>`;
}
