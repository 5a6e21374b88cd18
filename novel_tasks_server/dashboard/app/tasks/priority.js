// The question for a priority.
import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../dialog.js";
import { html } from "../html.js";
import { checked } from "../validity.js";
import { t } from "../words.js";

const LOWEST = -32768;
const HIGHEST = 32767;
const question = signal(null);

/** Ask for a priority, beginning with this one. Resolves to a whole number, or null when the person declines. */
export function askPriority({ priority }) {
  question.value?.resolve(null);
  return new Promise((resolve) => (question.value = { priority, resolve }));
}

/** The dialog of `askPriority`, when there is a question. */
export function PriorityQuestion() {
  return question.value && html`<${Asked} ...${question.value} />`;
}

function Asked({ priority, resolve }) {
  const [text, setText] = useState(String(priority));
  const answer = (value) => {
    if (question.peek()?.resolve === resolve) question.value = null;
    resolve(value);
  };
  useEffect(() => {
    const leave = () => answer(null); // it is about a task of the view that was left
    addEventListener("hashchange", leave);
    return () => (removeEventListener("hashchange", leave), leave());
  }, []);
  const submit = (event) => {
    event.preventDefault();
    answer(Number(text));
  };
  return html`
    <${Dialog} title=${t("priority.title")} name="priority" onClose=${() => answer(null)}>
      <form onSubmit=${submit}>
        <label>
          ${t("priority.label")}
          <input type="number" required step="1" min=${LOWEST} max=${HIGHEST} autofocus value=${text} aria-describedby="priority-hint" ...${checked(setText)} />
        </label>
        <p id="priority-hint" class="quiet">${t("priority.hint")}</p>
        <footer>
          <button type="button" class="secondary" onClick=${() => answer(null)}>${t("dialog.no")}</button>
          <button type="submit">${t("priority.set")}</button>
        </footer>
      </form>
    <//>
  `;
}
