// The views of the page. The list is there from the beginning; the others come when they are opened, or before that
// when there is nothing else to do.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { html } from "./html.js";
import { View as Tasks } from "./tasks/view.js";
import { addWords, t } from "./words.js";

const MODULES = {
  task: () => [import("./task/view.js"), import("./task/words.js")],
  queue: () => [import("./queue/view.js"), import("./queue/words.js")],
  system: () => [import("./system/view.js"), import("./system/words.js")],
};
const AFTER_MS = 3000;

const views = signal({ tasks: Tasks });

/** The view of this name, as soon as it is here. */
export function Opened({ name, id, query }) {
  const View = views.value[name];
  return View ? html`<${View} id=${id} query=${query} />` : html`<${Awaited} name=${name} />`;
}

function Awaited({ name }) {
  const [isMissing, setMissing] = useState(false);
  const load = () => {
    setMissing(false);
    loadView(name).catch(() => setMissing(true));
  };
  const again = () => {
    document.querySelector("main").focus({ preventScroll: true }); // the button goes
    load();
  };
  useEffect(load, []);
  if (!isMissing) return html`<div class="awaited" aria-busy="true"><span class="unseen">${t("view.loading")}</span></div>`;
  return html`
    <section class="failure" role="alert">
      <h1>${t("view.missing")}</h1>
      <p>${t("view.missing.why")}</p>
      <p class="acts">
        <button type="button" onClick=${again}>${t("error.again")}</button>
        <button type="button" class="secondary" onClick=${() => location.reload()}>${t("connection.reload")}</button>
      </p>
    </section>
  `;
}

async function loadView(name) {
  if (views.peek()[name]) return;
  announce(name);
  const [module, words] = await Promise.all(MODULES[name]());
  addWords(words);
  views.value = { ...views.peek(), [name]: module.View };
}

/** Load what is not there yet, a while after the beginning: then it opens at once, and after an upgrade too. */
export function loadViewsLater() {
  setTimeout(async () => {
    for (const name of Object.keys(MODULES)) await loadView(name).catch(() => {}); // who opens it is told why
  }, AFTER_MS);
}

// All files of a view are asked for at once, instead of one after another as they name each other.
function announce(name) {
  const files = document.querySelector(`template[data-view=${name}]`);
  if (!files) return;
  document.head.append(files.content);
  files.remove();
}
