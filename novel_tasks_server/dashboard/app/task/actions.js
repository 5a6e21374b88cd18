// What a person can do with the task: send it round again, cancel it, put it before others, delete it.
import { useState } from "preact/hooks";
import { mayWrite } from "../access.js";
import { API, call, taskPath } from "../api.js";
import { confirm, Dialog } from "../dialog.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { go } from "../router.js";
import { say } from "../say.js";
import { t } from "../words.js";
import { Again } from "./again.js";
import { listAddress } from "./back.js";

const nameOf = (task) => task.file_name ?? task.id;

/** Do what may be refused, one thing at a time, and say so when it is. Resolves to whether it was done. */
async function attempt(store, run) {
  if (store.isActing.value) return false;
  store.isActing.value = true;
  try {
    await run();
    return true;
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    say(problem.text, { kind: "bad" });
    store.refresh();
    return false;
  } finally {
    store.isActing.value = false;
  }
}

/** Send the task round again. */
export async function retry(store) {
  if (await attempt(store, () => call("POST", taskPath(store.id, "/retry")))) {
    say(t("task.retry.done"), { kind: "good" });
    store.refresh();
    document.getElementById("title")?.focus();
  }
}

async function cancel(store) {
  const task = store.task.value;
  const body = t(task.status === "processing" ? "task.cancel.body.processing" : "task.cancel.body.pending", {
    name: nameOf(task),
  });
  if (!(await confirm({ title: t("task.cancel.title"), body, action: t("task.cancel.yes"), isDangerous: true })))
    return;
  if (await attempt(store, () => call("POST", taskPath(store.id, "/cancel")))) store.refresh();
}

async function remove(store) {
  const name = nameOf(store.task.value);
  if (
    !(await confirm({
      title: t("task.delete.title"),
      body: t("task.delete.body", { name }),
      action: t("task.delete.yes"),
      isDangerous: true,
    }))
  )
    return;
  store.isLeaving = true;
  if (await attempt(store, () => call("DELETE", taskPath(store.id)))) {
    go(listAddress());
    document.getElementById("content").focus();
    say(t("task.delete.done", { name }), { kind: "good" });
  } else store.isLeaving = false;
}

/** The buttons, as far as the task's state and the person's token allow them. */
export function Actions({ store }) {
  const [asks, ask] = useState(null);
  const task = store.task.value;
  const isOpen = task.status === "pending" || task.status === "processing";
  if (!mayWrite.value) return null;
  const button = (name, icon, run, kind = "secondary") =>
    html`<button type="button" class=${kind} onClick=${run}><${Icon} name=${icon} /> ${t(`task.do.${name}`)}</button>`;
  return html`
      ${task.file_name !== null && task.processor !== "external" && button("again", "copy", () => ask("again"))}
      ${task.status === "pending" && button("priority", "up", () => ask("priority"))}
      ${!isOpen && task.status !== "failed" && button("retry", "retry", () => retry(store))}
      ${isOpen && !task.cancel_requested && button("cancel", "stop", () => cancel(store))}
      ${button("delete", "trash", () => remove(store))}
      ${asks === "priority" && html`<${Priority} store=${store} onClose=${() => ask(null)} />`}
      ${asks === "again" && html`<${Again} task=${task} onClose=${() => ask(null)} />`}
  `;
}

function Priority({ store, onClose }) {
  const [value, setValue] = useState(String(store.task.value.priority));
  const save = async (event) => {
    event.preventDefault();
    const body = { action: "reprioritize", filter: { q: store.id }, priority: Number(value) };
    if (!(await attempt(store, () => call("POST", `${API}/tasks/bulk`, { body })))) return;
    onClose();
    store.refresh();
  };
  return html`
    <${Dialog} title=${t("task.do.priority")} onClose=${onClose}>
      <form onSubmit=${save}>
        <label>
          ${t("task.priority.field")}
          <input type="number" min="-32768" max="32767" step="1" required autofocus value=${value} onInput=${(event) => setValue(event.target.value)} />
          <small>${t("task.priority.hint")}</small>
        </label>
        <footer>
          <button type="button" class="secondary" onClick=${onClose}>${t("dialog.no")}</button>
          <button type="submit">${t("task.priority.save")}</button>
        </footer>
      </form>
    <//>
  `;
}
