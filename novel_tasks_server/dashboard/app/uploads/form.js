// A form made from the shape of a processor's options.
import { html } from "../html.js";
import { Foreign, withReason } from "../told.js";
import { hasWords, t } from "../words.js";
import { isOptional, isThere } from "./reading.js";

/** The words of a fault that the form itself found, as a text or drawn. */
export function faultText({ key, inner, reason, ...values }) {
  const texts = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === "number" ? value : String(value)]),
  );
  return inner ? t(key, { ...texts, fault: faultText(inner) }) : withReason(t(key, texts), reason);
}

/** What the server says is wrong at a field, or in one of its lines; `faults` are by pointer. Undefined when nothing is. */
export function faultAmong(faults, { pointer, kind }) {
  const at = `/options${pointer}`;
  const inside = Object.keys(faults).find((one) => kind !== "group" && one.startsWith(`${at}/`));
  return faults[at] ?? faults[inside];
}

const idOf = (prefix, pointer) => `${prefix}${pointer.replace(/[^\w-]/g, "-")}`;
const KNOWN = ["analyze", "split", "clean", "epub", "external"];

/** The name of an option as people read it; the words of our own processors' options are translated. */
export function labelOf({ name, title, schema }, processor) {
  if (KNOWN.includes(processor) && hasWords(`option.${name}`)) return t(`option.${name}`);
  if (title && schema.type !== "object") return title;
  const words = name.replace(/_/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function helpOf({ name, description, kind }, processor) {
  const own = KNOWN.includes(processor) && hasWords(`option.${name}.help`) ? t(`option.${name}.help`) : null;
  const known = own ?? (description && html`<${Foreign} text=${description} />`);
  return kind === "list" ? html`${known} ${t("form.lines")}` : known;
}

/** The value of an option as people read it. */
export function valueText(value, { kind }, processor) {
  if (typeof value === "boolean") return t(value ? "form.yes" : "form.no");
  if (kind === "choice") return choiceText(value, processor);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function choiceText(value, processor) {
  return KNOWN.includes(processor) && hasWords(`option.value.${value}`) ? t(`option.value.${value}`) : String(value);
}

/**
 * The fields of a group. `form` is `{processor, prefix, drafts, set, faultAt, beside}`: `set(pointer, value)` puts something in,
 * `faultAt(shape, label)` says what is wrong there (a text, drawn, or null), `beside(shape)` draws what belongs below a field.
 */
export function Fields({ shape, form }) {
  const inOrder = [...shape.fields].sort((one, other) => placeOf(one, form) - placeOf(other, form));
  return html`<div class="fields">${inOrder.map((field) => html`<${Field} key=${field.pointer} shape=${field} form=${form} />`)}</div>`;
}

const isBox = ({ kind, isNullable }) => kind === "boolean" && !isNullable;
const isWide = (shape, form) =>
  ["lines", "json", "list", "group"].includes(shape.kind) || Boolean(form.beside?.(shape));

/** Small fields first, then boxes to tick, then what takes the whole width; so that the form has no holes. */
const placeOf = (shape, form) => (isWide(shape, form) ? 2 : isBox(shape) ? 1 : 0);

function Field({ shape, form }) {
  if (shape.kind === "group") return html`<${Group} shape=${shape} form=${form} />`;
  const id = idOf(form.prefix, shape.pointer);
  const label = labelOf(shape, form.processor);
  const fault = form.faultAt(shape, label);
  const help = helpOf(shape, form.processor);
  const described = [fault && `${id}-fault`, help && `${id}-help`].filter(Boolean).join(" ") || undefined;
  const control = { id, described, fault, shape, form, value: form.drafts[shape.pointer] };
  return html`
    <div class="field ${isBox(shape) ? "box" : ""} ${isWide(shape, form) ? "wide" : ""}">
      ${
        isBox(shape)
          ? html`<label for=${id}><${Box} ...${control} /> ${label}</label>`
          : html`<label for=${id}>${label}${shape.isRequired && html`<span class="quiet"> ${t("form.required.mark")}</span>`}</label><${Control} ...${control} />`
      }
      ${fault && html`<p class="bad fault" id="${id}-fault">${fault}</p>`} ${help && html`<p class="quiet help" id="${id}-help">${help}</p>`}
      ${form.beside?.(shape)}
    </div>
  `;
}

function Group({ shape, form }) {
  const isOn = isThere(shape, form.drafts);
  const label = labelOf(shape, form.processor);
  const fault = form.faultAt(shape, label);
  return html`
    <fieldset class="field wide group">
      <legend>${label}</legend>
      ${shape.description && html`<p class="quiet help"><${Foreign} text=${shape.description} /></p>`} ${fault && html`<p class="bad fault">${fault}</p>`}
      ${
        isOptional(shape) &&
        html`<label><input type="checkbox" checked=${isOn} onChange=${(event) => form.set(shape.pointer, event.target.checked)} /> ${t("form.use")}</label>`
      }
      ${isOn && html`<${Fields} shape=${shape} form=${form} />`}
    </fieldset>
  `;
}

function Box({ id, described, fault, shape, form, value }) {
  const isOn = value ?? shape.fallback ?? false;
  const put = (event) =>
    form.set(shape.pointer, event.target.checked === (shape.fallback ?? false) ? undefined : event.target.checked);
  return html`<input type="checkbox" id=${id} checked=${isOn} aria-describedby=${described} aria-invalid=${fault ? "true" : undefined} onChange=${put} />`;
}

function Control({ id, described, fault, shape, form, value }) {
  const shared = {
    id,
    "aria-describedby": described,
    "aria-invalid": fault ? "true" : undefined,
    "aria-required": shape.isRequired ? "true" : undefined,
  };
  const usual = usualText(shape);
  const put = (event) => form.set(shape.pointer, event.target.value === usual ? undefined : event.target.value);
  const shown = value ?? usual;
  const placeholder = shape.isNullable || !shape.isRequired ? t("form.nothing") : "";
  switch (shape.kind) {
    case "boolean":
      return html`<${Choice} ...${shared} value=${String(shown)} put=${put} isOpen=${true} choices=${[
        ["true", t("form.yes")],
        ["false", t("form.no")],
      ]} />`;
    case "choice": {
      const choices = shape.choices.map((choice) => [String(choice), choiceText(choice, form.processor)]);
      return html`<${Choice} ...${shared} value=${shown} put=${put} isOpen=${shape.isNullable || usual === ""} choices=${choices} />`;
    }
    case "integer":
    case "number": {
      const { minimum, maximum } = shape.schema;
      const limits = { min: minimum, max: maximum, step: shape.kind === "integer" ? 1 : "any" };
      return html`<input ...${shared} ...${limits} type="number" inputmode=${shape.kind === "integer" ? "numeric" : "decimal"} value=${shown} placeholder=${placeholder} onInput=${put} />`;
    }
    case "text":
      return html`<input ...${shared} type="text" value=${shown} placeholder=${placeholder} autocomplete="off" spellcheck="false" onInput=${put} />`;
    default:
      return html`<textarea ...${shared} class=${shape.kind === "list" ? "" : "code"} rows="3" value=${shown} placeholder=${placeholder} spellcheck="false" onInput=${put} />`;
  }
}

function Choice({ choices, value, put, isOpen, ...shared }) {
  return html`
    <select ...${shared} value=${value} onChange=${put}>
      ${isOpen && html`<option value="">${t("form.nothing")}</option>`} ${choices.map(([name, words]) => html`<option key=${name} value=${name}>${words}</option>`)}
    </select>
  `;
}

/** What a field shows while nobody has put anything in. */
function usualText({ kind, fallback }) {
  if (fallback === undefined || fallback === null) return "";
  if (kind === "list") return fallback.join("\n");
  return kind === "json" ? JSON.stringify(fallback, null, 1) : String(fallback);
}
