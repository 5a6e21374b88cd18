// Which page of the server's list fills a place, by number where that is cheap, else on from the nearest cursor. Pure.
import { isById } from "./filter.js";

/** How many tasks a page has: the most that the server gives. */
export const PAGE = 100;

/** How far the server counts: pages from either end of a list, and the tasks that match where it has to look. */
export const COUNTED = 10000;

const turned = (order) => (order === "asc" ? "desc" : "asc");

/**
 * What to ask for so that the place `hole` is filled, or at least nearer: `{query, at, isUp}`. The answer's tasks belong
 * to the places from `at` on, downwards, or upwards with `isUp`. Null when there is no way.
 */
export function pageFor(rows, hole) {
  const { order } = rows.filter;
  const here = rows.cursors.down.get(rows.ids[hole - 1]);
  if (here) return { query: { order, cursor: here }, at: hole, isUp: false };
  const index = hole + rows.held.size; // where it is to the server, which knows those that wait
  const before = index - (index % PAGE);
  if (before < COUNTED) return { query: { order, page: before / PAGE + 1 }, at: before - rows.held.size, isUp: false };
  if (!isById(rows.filter)) return null;
  const last = rows.ids.length - 1;
  const after = last - hole - ((last - hole) % PAGE);
  if (after < COUNTED && !rows.isEstimate)
    return { query: { order: turned(order), page: after / PAGE + 1 }, at: last - after, isUp: true };
  const above = rows.nearest("down", hole);
  const below = rows.nearest("up", hole);
  if (below >= 0 && (above < 0 || below - hole < hole - above)) {
    return { query: { order: turned(order), cursor: rows.cursors.up.get(rows.ids[below]) }, at: below - 1, isUp: true };
  }
  if (above >= 0)
    return { query: { order, cursor: rows.cursors.down.get(rows.ids[above]) }, at: above + 1, isUp: false };
  return { query: { order, page: COUNTED / PAGE }, at: COUNTED - PAGE - rows.held.size, isUp: false };
}

/** Take the answer to `step` in. */
export function takePage(
  rows,
  { query, at, isUp },
  { tasks, total, next_cursor: cursor, total_is_estimate: isEstimate },
) {
  const last = tasks.at(-1);
  if (last && cursor) rows.cursors[isUp ? "up" : "down"].set(last.id, cursor);
  rows.isEstimate = isEstimate;
  if (isUp) {
    rows.place(at - tasks.length + 1, tasks.toReversed());
    return;
  }
  const end = at + tasks.length;
  const isEnd = isById(rows.filter) && !cursor && (tasks.length > 0 || query.page === 1 || query.cursor);
  rows.resize(isEnd ? Math.max(0, end) : Math.max(total - rows.held.size, end));
  rows.place(at, tasks);
}
