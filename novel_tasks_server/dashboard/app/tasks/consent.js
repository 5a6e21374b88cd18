// Asks before something is done to one task that loses something. The list and the view of the task ask alike.
import { confirm } from "../dialog.js";
import { nameOf } from "../format.js";
import { t } from "../words.js";

/** What is lost: always what is deleted, else what a task has done so far, or what came of it. */
const LOSES = {
  delete: () => true,
  cancel: ({ status }) => status === "processing",
  retry: ({ status }) => status === "completed",
};

/** Whether the person wants it done to the task. Asks only when something is lost by it. */
export async function agrees(action, task) {
  if (!LOSES[action]?.(task)) return true;
  return confirm({
    title: t(`consent.${action}.title`, { name: nameOf(task) }),
    body: t(`consent.${action}.body`),
    action: t(`consent.${action}.yes`),
    isDangerous: action !== "retry",
  });
}
