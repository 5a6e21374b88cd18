// The list of tasks.
import { useEffect, useState } from "preact/hooks";
import { API, call } from "../api.js";
import { html } from "../html.js";
import { followList } from "../live.js";
import { href } from "../router.js";
import { say } from "../say.js";
import { UploadPanel } from "../uploads/panel.js";
import { t } from "../words.js";

/** Uploads, and all tasks. */
export function TasksView() {
  const [tasks, setTasks] = useState([]);
  useEffect(() => {
    const load = () => call("GET", `${API}/tasks`, { query: { page_size: 50 } }).then((page) => setTasks(page.tasks), (problem) => say(problem.text, { kind: "bad" }));
    return followList({}, (message) => {
      if (message.type === "resync") load();
      else if (message.type === "deleted") setTasks((old) => old.filter((task) => task.id !== message.task_id));
      else if (message.type === "task") setTasks((old) => (old.some(({ id }) => id === message.task.id) ? old.map((task) => (task.id === message.task.id ? message.task : task)) : [message.task, ...old]));
    });
  }, []);
  return html`
    <${UploadPanel} />
    <h1>${t("tasks.title")}</h1>
    ${tasks.length === 0 && html`<p>${t("tasks.empty")}</p>`}
    <ul class="tasks">
      ${tasks.map((task) => html`<li key=${task.id}><a href=${href(`tasks/${task.id}`)}>${task.file_name ?? task.id}</a> ${t(`status.${task.status}`)} ${task.progress}%</li>`)}
    </ul>
  `;
}
