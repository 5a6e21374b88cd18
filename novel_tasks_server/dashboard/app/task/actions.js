// What a person can do with the task: retry it, process its novel again, cancel it, put it before others, delete it.
import { mayWrite } from "../access.js";
import { nameOf } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { go, listAddress } from "../router.js";
import { say } from "../say.js";
import { agrees } from "../tasks/consent.js";
import { askPriority, PriorityQuestion } from "../tasks/priority.js";
import { change, takes } from "../tasks/requests.js";
import { sayProblem } from "../told.js";
import { t } from "../words.js";
import { Again } from "./again.js";

/** Do what may be refused, one thing at a time, and say so when it is. Resolves to whether it was done. */
async function attempt(store, action, wish) {
  if (store.isActing.value) return false;
  store.isActing.value = true;
  try {
    await change(action, store.id, wish);
    return true;
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    sayProblem(problem);
    store.refresh();
    return false;
  } finally {
    store.isActing.value = false;
  }
}

/** Retry the task. */
export async function retry(store) {
  if (!(await agrees("retry", store.task.value)) || !(await attempt(store, "retry"))) return;
  say(t("act.retry.done"), { kind: "good" });
  await changed(store);
}

async function cancel(store) {
  if ((await agrees("cancel", store.task.value)) && (await attempt(store, "cancel"))) await changed(store);
}

async function reprioritize(store) {
  const priority = await askPriority(store.task.value);
  if (priority !== null && (await attempt(store, "reprioritize", { priority }))) store.refresh();
}

// The button that was used may go with the state that it was for: the focus goes to where the new one is told.
function changed(store) {
  document.getElementById("title")?.focus();
  return store.refresh();
}

async function remove(store) {
  const name = nameOf(store.task.value);
  if (!(await agrees("delete", store.task.value))) return;
  store.isLeaving = true;
  if (await attempt(store, "delete")) {
    go(listAddress());
    document.getElementById("content").focus();
    say(t("task.delete.done", { name }), { kind: "good" });
  } else store.isLeaving = false;
}

/** A button that does something to the task: one thing at a time. The focus stays where it is meanwhile. */
export function ActionButton({ store, kind = "secondary", onClick, children }) {
  const isActing = store.isActing.value;
  return html`<button type="button" class=${kind} aria-disabled=${isActing ? "true" : undefined} onClick=${() => isActing || onClick()}>${children}</button>`;
}

/** Whether another task can be made of its novel. */
export const mayProcessAgain = ({ file_name, processor }) => file_name !== null && processor !== "external";

/** The buttons, as far as the task's state and the person's token allow them; both ways on from a failure stand beside it. */
export function Actions({ store }) {
  const task = store.task.value;
  if (!mayWrite.value) return null;
  const isFailed = task.status === "failed";
  const ask = (isAsked) => (store.asksAgain.value = isAsked);
  const button = (words, icon, run) =>
    html`<${ActionButton} store=${store} onClick=${run}><${Icon} name=${icon} /> ${t(words)}<//>`;
  return html`
    ${mayProcessAgain(task) && !isFailed && button("act.again.more", "copy", () => ask(true))}
    ${task.status === "pending" && button("task.do.priority", "up", () => reprioritize(store))}
    ${takes("retry", task) && !isFailed && button("act.retry", "retry", () => retry(store))}
    ${takes("cancel", task) && !task.cancel_requested && button("act.cancel", "stop", () => cancel(store))}
    ${button("act.delete", "trash", () => remove(store))}
    <${PriorityQuestion} />
    ${store.asksAgain.value && html`<${Again} task=${task} onClose=${() => ask(false)} />`}
  `;
}
