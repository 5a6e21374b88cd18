// Where novels come in.
import { API, credentials, problemOf } from "../api.js";
import { html } from "../html.js";
import { say } from "../say.js";
import { t } from "../words.js";

async function upload(file) {
  const form = new FormData();
  form.append("file", file);
  const response = await fetch(`${API}/tasks/upload`, { method: "POST", body: form, headers: credentials() });
  if (!response.ok) throw problemOf(response.status, await response.text(), (name) => response.headers.get(name));
}

async function uploadAll(files) {
  for (const file of files) await upload(file).catch((problem) => say(`${file.name}: ${problem.text}`, { kind: "bad" }));
}

/** The drop zone and the button. */
export function UploadPanel() {
  const drop = (event) => {
    event.preventDefault();
    uploadAll([...event.dataTransfer.files]);
  };
  return html`
    <section class="drop" aria-labelledby="uploads-title" onDragOver=${(event) => event.preventDefault()} onDrop=${drop}>
      <h2 id="uploads-title">${t("uploads.title")}</h2>
      <p>${t("uploads.hint")}</p>
      <label class="button">${t("uploads.choose")}<input type="file" class="unseen" multiple onChange=${(event) => uploadAll([...event.target.files])} /></label>
    </section>
  `;
}
