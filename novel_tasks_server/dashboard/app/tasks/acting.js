// Asks, does and tells: what a person does to one task or to those that they have chosen.
import { signal } from "@preact/signals";
import { confirm } from "../dialog.js";
import { nameOf } from "../format.js";
import { html } from "../html.js";
import { announce, say } from "../say.js";
import { sayProblem } from "../told.js";
import { t } from "../words.js";
import { agrees } from "./consent.js";
import { conditions } from "./filter.js";
import { change, changeAll, changeEach, takes } from "./requests.js";
import { askPriority } from "./priority.js";

/** What is being done to many: `{action, done, of, stop}`, or null. `of` is null when only the server knows. */
export const running = signal(null);

/** The tasks that something is being done to one by one, by id. */
export const busy = signal(new Set());

/** Do it to one task of the list, after a question where that is due. */
export async function act(list, action, task) {
  if (busy.value.has(task.id)) return;
  const wish = (await agrees(action, task)) ? await wishFor(action, task.priority) : null;
  if (!wish) return;
  busy.value = new Set([...busy.value, task.id]);
  const place = list.active.value === task.id ? list.rows.ids.indexOf(task.id) : null;
  try {
    const now = await change(action, task.id, wish);
    announce(t(`tasks.done.${action}`, { name: nameOf(task) }));
    if (now) list.take(now);
    else drop(list, task.id, place);
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    sayProblem(problem, { of: nameOf(task) });
    if (problem.status === 404) drop(list, task.id, place);
  } finally {
    busy.value = new Set([...busy.value].filter((id) => id !== task.id));
  }
}

// What the action needs to know: the priority is asked for. Null when the person declines.
async function wishFor(action, priority = 0) {
  if (action !== "reprioritize") return {};
  const wanted = await askPriority({ priority });
  return wanted === null ? null : { priority: wanted };
}

// Its place was looked up before: that it is gone may have been told live meanwhile.
function drop(list, id, place) {
  list.focusPlace = place;
  list.drop(id);
}

/** Do it to what is chosen: count first, ask, do it, and say what became of it. */
export async function actOnChosen(list, action) {
  if (running.value) return;
  const { isAll, some } = list.selection;
  try {
    if (isAll.value) await actOnAll(list, action);
    else
      await actOnSome(
        list,
        action,
        [...some.value.keys()].map((id) => list.rows.tasks.get(id) ?? some.value.get(id)),
      );
  } catch (problem) {
    if (problem.name === "AbortError") return;
    if (problem.name !== "Problem") throw problem;
    sayProblem(problem, {
      action: problem.isPassing ? { label: t("error.again"), run: () => actOnChosen(list, action) } : null,
    });
  } finally {
    running.value = null;
  }
}

async function actOnAll(list, action) {
  const filter = conditions(list.filter);
  const wish = await wishFor(action);
  if (!wish) return;
  const stop = start(action, null);
  const { changed, reasons } = await changeAll(action, filter, { isDry: true, signal: stop, ...wish });
  running.value = null;
  if (!(await agreed(action, changed, list.filter.status, Object.entries(reasons)))) return;
  const result = await changeAll(action, filter, { signal: start(action, null), ...wish }).catch((problem) => {
    if (problem.name !== "AbortError") throw problem;
    return null;
  });
  if (!result) {
    list.reload();
    say(t("bulk.stopped"));
    return;
  }
  list.selection.clear();
  list.reload();
  tell(
    action,
    result.changed,
    Object.entries(result.reasons).map(([reason, n]) => t(`bulk.reason.${reason}`, { n })),
  );
}

async function actOnSome(list, action, tasks) {
  const able = tasks.filter((task) => takes(action, task));
  const illegal = tasks.length - able.length;
  const wish = able.length ? await wishFor(action) : {};
  if (!wish) return;
  if (!(await agreed(action, able.length, "", illegal ? [["illegal", illegal]] : []))) return;
  const signal = start(action, able.length);
  const told = ({ done, refused }) => {
    const count = done + [...refused.values()].reduce((sum, n) => sum + n, 0);
    running.value = { ...running.value, done: count };
  };
  const changed = (id, now) => (now ? list.take(now) : list.drop(id));
  const { done, refused } = await changeEach(
    action,
    able.map(({ id }) => id),
    { ...wish, signal, told, changed },
  );
  if (!signal.aborted && refused.size === 0) list.selection.clear();
  tell(
    action,
    done,
    [...refused].map(([text, n]) => t("bulk.refused", { n, text })),
    refused.size > 0,
  );
}

function start(action, of) {
  const controller = new AbortController();
  running.value = { action, done: 0, of, stop: () => controller.abort(new DOMException("stopped", "AbortError")) };
  return controller.signal;
}

/** What `n` tasks of a status (or of any, "") are called. */
export function called(n, status) {
  return status ? t("bulk.those.status", { n, status: t(`status.${status}`) }) : t("bulk.those", { n });
}

async function agreed(action, n, status, skipped) {
  const reasons = skipped.map(
    ([reason, count]) => html`<li key=${reason}>${t(`bulk.reason.${reason}`, { n: count })}</li>`,
  );
  if (n === 0) {
    say(
      [t(`bulk.none.${action}`), ...skipped.map(([reason, count]) => t(`bulk.reason.${reason}`, { n: count }))].join(
        " ",
      ),
    );
    return false;
  }
  const body = html`
    <span>${t(`bulk.what.${action}`, { n })}</span>
    ${reasons.length > 0 && html`<ul class="reasons">${reasons}</ul>`}
  `;
  const words = {
    title: t(`bulk.ask.${action}`, { those: called(n, status) }),
    action: t(`bulk.do.${action}`, { those: called(n, status) }),
  };
  return confirm({ ...words, body, isDangerous: action === "delete" });
}

function tell(action, n, others, isBad = false) {
  say([t(`bulk.done.${action}`, { those: called(n, "") }), ...others].join(" "), { kind: isBad ? "bad" : "good" });
}
