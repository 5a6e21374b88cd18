// More work on the same novel: another processor, or the same with other options. The task itself stays as it is.
import { useRef, useState } from "preact/hooks";
import { call, taskPath } from "../api.js";
import { Dialog } from "../dialog.js";
import { Failure } from "../failure.js";
import { html } from "../html.js";
import { go, href } from "../router.js";
import { say } from "../say.js";
import { Complaint, Refusal } from "../told.js";
import { catalogue, catalogueProblem, loadCatalogue } from "../uploads/catalogue.js";
import { descriptionOf } from "../uploads/choosing.js";
import { faultAmong, faultText, Fields } from "../uploads/form.js";
import { readOptions } from "../uploads/reading.js";
import { t } from "../words.js";
import { draftsOf } from "./options.js";

/** The question what is to be done with the novel of `task`. */
export function Again({ task, onClose }) {
  const processors = (catalogue.value?.processors ?? []).filter(({ runs_in }) => runs_in !== "outside");
  return html`
    <${Dialog} title=${t("act.again")} name="again" onClose=${onClose}>
      <p class="quiet">${t("task.again.hint", { name: task.file_name })}</p>
      ${
        processors.length > 0
          ? html`<${Choice} ...${{ task, processors, onClose }} />`
          : catalogueProblem.value && html`<${Failure} problem=${catalogueProblem.value} onRetry=${loadCatalogue} />`
      }
    <//>
  `;
}

function Choice({ task, processors, onClose }) {
  const [name, setName] = useState(
    processors.some((one) => one.name === task.processor) ? task.processor : processors[0].name,
  );
  const processor = processors.find((one) => one.name === name);
  const [drafts, setDrafts] = useState(() => (name === task.processor ? draftsOf(processor.shape, task.options) : {}));
  const [problem, setProblem] = useState(null);
  const isStarting = useRef(false);
  const { options, faults } = readOptions(processor.shape, drafts);
  const refused = Object.fromEntries((problem?.errors ?? []).map((fault) => [fault.pointer, fault]));
  const faultAt = (shape, label) => {
    if (faults.has(shape.pointer)) return faultText(faults.get(shape.pointer));
    const fault = faultAmong(refused, shape);
    return fault ? html`<${Complaint} fault=${fault} label=${label} />` : null;
  };
  const set = (pointer, value) => {
    const { [pointer]: _, ...others } = drafts;
    setDrafts(value === undefined ? others : { ...others, [pointer]: value });
    setProblem(null);
  };
  const pick = (chosen) => {
    const { shape } = processors.find((one) => one.name === chosen);
    setName(chosen);
    setDrafts(chosen === task.processor ? draftsOf(shape, task.options) : {});
    setProblem(null);
  };
  const start = async (event) => {
    event.preventDefault();
    if (faults.size || isStarting.current) return;
    isStarting.current = true;
    try {
      await begin(task, name, options);
      onClose();
    } catch (failure) {
      if (failure.name !== "Problem") throw failure;
      setProblem(failure);
    } finally {
      isStarting.current = false;
    }
  };
  const form = { processor: name, prefix: "again-option", drafts, set, faultAt };
  const shape =
    processor.shape.kind === "group"
      ? processor.shape
      : { fields: [{ ...processor.shape, name: t("task.fact.options") }] };
  return html`
    <form class="again" onSubmit=${start} novalidate>
      <label>
        ${t("task.again.processor")}
        <select value=${name} autofocus aria-describedby="again-description" onChange=${(event) => pick(event.target.value)}>
          ${processors.map((one) => html`<option key=${one.name} value=${one.name}>${one.name}</option>`)}
        </select>
      </label>
      <p class="quiet" id="again-description">${descriptionOf(processor)}</p>
      <details key=${name} open=${Object.keys(drafts).length > 0 || problem !== null || task.error?.permanent}>
        <summary>${t("task.fact.options")}</summary>
        <${Fields} shape=${shape} form=${form} />
      </details>
      ${problem && html`<p class="notice bad" role="alert"><${Refusal} problem=${problem} /></p>`}
      <footer>
        <button type="button" class="secondary" onClick=${onClose}>${t("dialog.no")}</button>
        <button type="submit" disabled=${faults.size > 0}>${t("task.again.start")}</button>
      </footer>
    </form>
  `;
}

async function begin(task, processor, options) {
  const { task_id, duplicate } = await call("POST", taskPath(task.id, "/process"), { body: { processor, options } });
  say(t(task_id === task.id ? "task.again.same" : duplicate ? "task.again.there" : "task.again.begun", { processor }), {
    kind: "good",
  });
  go(href(`tasks/${task_id}`));
}
