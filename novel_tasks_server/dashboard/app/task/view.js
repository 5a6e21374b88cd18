// One task.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { followTask } from "../live.js";
import { t } from "../words.js";

/** All about the task of this id. */
export function TaskView({ id }) {
  const [task, setTask] = useState(null);
  useEffect(() => followTask(id, (message) => message.type === "snapshot" && setTask(message.task)), [id]);
  return task && html`<h1>${task.file_name ?? id}</h1><p>${t(`status.${task.status}`)}</p>`;
}
