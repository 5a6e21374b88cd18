// More work on the same novel: another processor, or the same with other options. The task itself stays as it is.
import { useEffect, useState } from "preact/hooks";
import { API, call, taskPath } from "../api.js";
import { Dialog } from "../dialog.js";
import { html } from "../html.js";
import { go, href } from "../router.js";
import { say } from "../say.js";
import { t } from "../words.js";

/** The question what is to be done with the novel of `task`. */
export function Again({ task, onClose }) {
  const [processors, setProcessors] = useState(null);
  const [chosen, choose] = useState(task.processor);
  const [options, setOptions] = useState(JSON.stringify(task.options, null, 2));
  const [problem, setProblem] = useState(null);
  useEffect(() => {
    call("GET", `${API}/processors`).then(({ processors: all }) => setProcessors(all.filter(({ runs_in }) => runs_in !== "outside")), setProblem);
  }, []);
  const pick = (name) => {
    choose(name);
    setOptions(name === task.processor ? JSON.stringify(task.options, null, 2) : "{}");
  };
  const start = async (event) => {
    event.preventDefault();
    setProblem(null);
    try {
      await begin(task, chosen, read(options));
      onClose();
    } catch (failure) {
      setProblem(failure);
    }
  };
  return html`
    <${Dialog} title=${t("task.again.title")} onClose=${onClose}>
      <form onSubmit=${start}>
        <p class="quiet">${t("task.again.hint", { name: task.file_name })}</p>
        <label>
          ${t("task.again.processor")}
          <select value=${chosen} autofocus onChange=${(event) => pick(event.target.value)}>
            ${(processors ?? []).map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}
          </select>
          <small>${processors?.find(({ name }) => name === chosen)?.description}</small>
        </label>
        <label>
          ${t("task.again.options")}
          <textarea rows="4" spellcheck="false" value=${options} onInput=${(event) => setOptions(event.target.value)}></textarea>
        </label>
        ${problem && html`<p class="notice bad" role="alert">${problem.text ?? problem.message}</p>`}
        <footer>
          <button type="button" class="secondary" onClick=${onClose}>${t("dialog.no")}</button>
          <button type="submit">${t("task.again.start")}</button>
        </footer>
      </form>
    <//>
  `;
}

function read(text) {
  try {
    return JSON.parse(text || "{}");
  } catch {
    throw new Error(t("task.again.json"));
  }
}

async function begin(task, processor, options) {
  const { task_id, duplicate } = await call("POST", taskPath(task.id, "/process"), { body: { processor, options } });
  say(t(task_id === task.id ? "task.again.same" : duplicate ? "task.again.there" : "task.again.begun", { processor }), { kind: "good" });
  go(href(`tasks/${task_id}`));
}
