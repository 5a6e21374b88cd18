// The choices beside the files: the processor, its options, priority and time.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Complaint, Foreign } from "../told.js";
import { hasWords, t } from "../words.js";
import { catalogue } from "./catalogue.js";
import * as choices from "./choices.js";
import { keepingFocus } from "./focus.js";
import { faultAmong, faultText, Fields, labelOf, valueText } from "./form.js";
import { RuleTrial } from "./trial.js";

/** Whether something has to be put right, so that the form must be seen. */
const isWrong = () => choices.faults.value.size > 0 || Object.keys(choices.refusedFields.value).length > 0;

/** What a processor does, in the language of the page where it is one of ours. */
export function descriptionOf({ name, description }) {
  return hasWords(`processor.${name}`) ? t(`processor.${name}`) : html`<${Foreign} text=${description} />`;
}

/** The processor, and what opens its options. */
export function Choosing() {
  const [wants, setWants] = useState(false);
  const chosen = choices.processor.value;
  const mustShow = isWrong();
  useEffect(() => void (mustShow && setWants(true)), [mustShow]); // and it stays open when it is right again
  const isShown = wants || mustShow;
  const { processors } = catalogue.value;
  const refused = choices.refusedFields.value["/processor"];
  return html`
    <div class="choosing">
      <label for="uploads-processor">${t("uploads.processor")}</label>
      <select id="uploads-processor" value=${chosen.name} aria-describedby="uploads-description" onChange=${(event) => choices.chooseProcessor(event.target.value)}>
        ${processors.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}
      </select>
      <button type="button" class="secondary small options" aria-expanded=${String(isShown)} aria-controls=${isShown ? "uploads-options" : undefined} onClick=${() => setWants(!isShown)}>
        <${Icon} name="gear" /> ${choices.changed.value ? t("uploads.options.changed", { n: choices.changed.value }) : t("uploads.options")}
      </button>
      <p class="quiet" id="uploads-description">${descriptionOf(chosen)}</p>
      ${refused && html`<p class="bad" role="alert"><${Complaint} fault=${refused} /></p>`} ${!isShown && html`<${Changed} chosen=${chosen} />`}
    </div>
    ${isShown && html`<${Options} chosen=${chosen} />`}
  `;
}

/** What was changed, in one line, while the form is closed. */
function Changed({ chosen }) {
  const fieldOf = (name) =>
    chosen.shape.fields?.find((field) => field.name === name) ?? { name, title: null, schema: {} };
  const shown = Object.entries(choices.options.value).map(([name, value]) => [
    labelOf(fieldOf(name), chosen.name),
    valueText(value, fieldOf(name), chosen.name),
  ]);
  if (Number(choices.priority.value)) shown.push([t("uploads.priority"), choices.priority.value]);
  if (choices.runAt.value) shown.push([t("uploads.runAt"), choices.runAt.value.replace("T", " ")]);
  const told = shown.map(([name, value]) => `${name}${t("told.colon")}${value}`);
  return told.length > 0 && html`<p class="changed quiet">${told.join(" · ")}</p>`;
}

function Options({ chosen }) {
  const refused = choices.refusedFields.value;
  const faultAt = (shape, label) => {
    const found = choices.faults.value.get(shape.pointer);
    const fault = faultAmong(refused, shape);
    return found ? faultText(found) : fault ? html`<${Complaint} fault=${fault} label=${label} />` : null;
  };
  const beside = (shape) => shape.name === "chapter_rule" && shape.kind === "text" && html`<${RuleTrial} />`;
  const form = {
    processor: chosen.name,
    prefix: "uploads-option",
    drafts: choices.drafts.value,
    set: choices.setDraft,
    faultAt,
    beside,
  };
  const { shape } = chosen;
  return html`
    <section class="options" id="uploads-options" aria-label=${t("uploads.options.of", { processor: chosen.name })}>
      ${refused["/options"] && html`<p class="bad" role="alert"><${Complaint} fault=${refused["/options"]} /></p>`}
      ${
        shape.kind === "group"
          ? html`<${Fields} key=${chosen.name} shape=${shape} form=${form} />`
          : html`<${Fields} key=${chosen.name} shape=${{ fields: [{ ...shape, name: t("uploads.options"), description: t("uploads.options.json") }] }} form=${form} />`
      }
      <${More} refused=${refused} />
      ${choices.changed.value > 0 && html`<button type="button" class="secondary small" onClick=${keepingFocus(choices.resetAll)}><${Icon} name="retry" /> ${t("uploads.reset")}</button>`}
    </section>
  `;
}

function More({ refused }) {
  const fault = choices.priorityFault.value ? faultText(choices.priorityFault.value) : refused["/priority"] && html`<${Complaint} fault=${refused["/priority"]} />`;
  const isUsed = Boolean(Number(choices.priority.value) || choices.runAt.value || fault || refused["/run_at"]);
  return html`
    <details class="more" open=${isUsed}>
      <summary>${t("uploads.more")}</summary>
      <div class="fields">
        <div class="field">
          <label for="uploads-priority">${t("uploads.priority")}</label>
          <input
            id="uploads-priority"
            type="number"
            step="1"
            placeholder="0"
            value=${choices.priority.value}
            aria-invalid=${fault ? "true" : undefined}
            aria-describedby="uploads-priority-help"
            onInput=${(event) => choices.setPriority(event.target.value)}
          />
          <div id="uploads-priority-help">${fault && html`<p class="bad fault">${fault}</p>`}<p class="quiet help">${t("uploads.priority.help")}</p></div>
        </div>
        <div class="field">
          <label for="uploads-run-at">${t("uploads.runAt")}</label>
          <input
            id="uploads-run-at"
            type="datetime-local"
            value=${choices.runAt.value}
            aria-invalid=${refused["/run_at"] ? "true" : undefined}
            aria-describedby="uploads-run-at-help"
            onInput=${(event) => choices.setRunAt(event.target.value)}
          />
          <div id="uploads-run-at-help">
            ${refused["/run_at"] && html`<p class="bad fault"><${Complaint} fault=${refused["/run_at"]} /></p>`}<p class="quiet help">${t("uploads.runAt.help")}</p>
          </div>
        </div>
      </div>
    </details>
  `;
}
