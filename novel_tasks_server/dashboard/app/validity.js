// What a browser says when a field cannot be sent as it is, in the language of the page instead of its own.
import { t } from "./words.js";

const WORDS = {
  valueMissing: "form.required",
  badInput: "form.number",
  stepMismatch: "form.integer",
  rangeUnderflow: "form.minimum",
  rangeOverflow: "form.maximum",
};

function word({ target: field }) {
  field.setCustomValidity("");
  const kind = Object.keys(WORDS).find((name) => field.validity[name]);
  if (kind) field.setCustomValidity(t(WORDS[kind], { limit: Number(kind === "rangeUnderflow" ? field.min : field.max) }));
}

/** The handlers of a field that belongs to a form; `put` takes what was put in. */
export function checked(put) {
  return { onInvalid: word, onInput: ({ target }) => (target.setCustomValidity(""), put(target.value)) };
}
