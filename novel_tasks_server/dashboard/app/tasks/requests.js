// What can be done to tasks: one by one, or to all that a filter finds. Requests only; asking and telling is others'.
import { API, call, Problem, taskPath } from "../api.js";
import { t } from "../words.js";
import { isFinal } from "./filter.js";

export const ACTIONS = ["retry", "cancel", "reprioritize", "delete"];

const AT_ONCE = 4;

/** Whether a task in this state takes this action. */
export function takes(action, { status }) {
  if (action === "delete") return true;
  return action === "retry" ? isFinal(status) : !isFinal(status);
}

/** Do it to one task. Returns the task after it, or null when that is told live only. Raises a Problem. */
export async function change(action, id, { priority, signal } = {}) {
  switch (action) {
    case "retry":
    case "cancel":
      return call("POST", taskPath(id, `/${action}`), { signal });
    case "delete":
      await call("DELETE", taskPath(id), { signal });
      return null;
    case "reprioritize":
      return reprioritize(id, { priority, signal });
  }
}

// As a change of all that the id finds, whose answer alone says whether it was changed.
async function reprioritize(id, { priority, signal }) {
  const { changed } = await changeAll("reprioritize", { q: id }, { priority, signal });
  const task = await call("GET", taskPath(id), { signal });
  if (changed === 0 && task.priority !== priority)
    throw new Problem({ status: 409, kind: "illegal-transition", detail: t("tasks.unchanged") });
  return task;
}

/** Do it to all that match these conditions; `dry_run` only counts. Returns the counts. Raises a Problem. */
export function changeAll(action, filter, { isDry = false, priority, signal } = {}) {
  return call("POST", `${API}/tasks/bulk`, { body: { action, filter, dry_run: isDry, priority }, signal });
}

/**
 * Do it to each of these tasks, a few at a time. `told({done, refused})` is called after each; `changed(id, task)` with
 * each task that is changed. Returns `{done, refused}`: a number, and how many by what was said. Stops by `signal`.
 */
export async function changeEach(action, ids, { priority, signal, told, changed }) {
  const waiting = [...ids];
  const result = { done: 0, refused: new Map() };
  const work = async () => {
    while (waiting.length && !signal.aborted) {
      const id = waiting.shift();
      try {
        changed(id, await change(action, id, { priority, signal }));
        result.done += 1;
      } catch (problem) {
        if (problem.name === "AbortError") return;
        if (problem.name !== "Problem") throw problem;
        result.refused.set(problem.text, (result.refused.get(problem.text) ?? 0) + 1);
        if (problem.status === 404) changed(id, null);
        if (problem.status === 0 || problem.status === 401) waiting.length = 0; // the rest would fare no better
      }
      told(result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return result;
}
