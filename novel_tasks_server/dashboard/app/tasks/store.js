// The list's state: loads what is looked at, takes in what is told live, frame by frame, and outlives the view.
import { batch, signal } from "@preact/signals";
import { API, call, pause } from "../api.js";
import { followList, followStatistics } from "../live.js";
import { conditions, followed, isNarrow } from "./filter.js";
import { PAGE, pageFor, takePage } from "./pages.js";
import { Rows } from "./rows.js";
import { Selection } from "./selection.js";

const MOST_WAITING = 2000; // messages; with more the list is loaded again, which is less work
const RELOAD_MS = 1000;
const PATIENCE_MS = 200;
const DRIFT_MS = 5000;
const CLOSED = Symbol("the list was closed meanwhile");

/** The counts of tasks by status as last told, or null. */
export const statistics = signal(null);

/** One list of tasks: that of one filter. */
export class TaskList {
  constructor(filter) {
    this.filter = filter;
    this.rows = new Rows(filter);
    this.selection = new Selection();
    /** Grows with every change, so that what draws the list reads it. */
    this.drawn = signal(0);
    /** "loading" until something came, then "ready"; or "failed". */
    this.phase = signal("loading");
    /** Why the last attempt to load failed, or null. */
    this.problem = signal(null);
    /** What the person sees: the places to have, the first in sight, and whether they are at the top. */
    this.view = { from: 0, to: 40, first: 0, isTop: true };
    /** The place that has the keyboard. */
    this.active = signal(null);
    /** How far the rows are scrolled beyond the line above them, or null at the top. */
    this.scrolled = null;
    /** The place that is to have the focus when the list is drawn next, or null. */
    this.focusPlace = null;
    this.moved = 0;
    this.waiting = new Map();
    this.recent = new Map(); // what was told while something was being loaded, which may be older
    this.loads = 0;
  }

  /** Load, and follow what happens; returns a function that ends it. */
  open() {
    this.ended = new AbortController();
    this.patience = setTimeout(() => this.reload(), PATIENCE_MS); // the live connection says soon when to load
    const unfollow = [
      followList(followed(this.filter), (message) => this.#hear(message)),
      followStatistics((message) => this.#count(message.statistics)),
    ];
    return () => {
      for (const end of unfollow) end();
      clearTimeout(this.patience);
      clearTimeout(this.drifting);
      this.drifting = null;
      this.ended.abort(new DOMException("the list is closed", "AbortError"));
    };
  }

  /** Say what the person looks at; what is not loaded of it is loaded. */
  look(view) {
    this.view = view;
    this.fill();
  }

  /** Load what is looked at and not there yet. */
  async fill() {
    if (this.filling || this.swapping || this.phase.value !== "ready") return;
    const { rows } = this;
    this.filling = true;
    const problem = await this.#load(rows, () => this.view).finally(() => (this.filling = false));
    if (problem !== CLOSED) this.problem.value = problem;
    if (rows !== this.rows) this.fill();
  }

  /** Load what is looked at again, soon; all else when it is looked at. Resolves when that is done. */
  reload() {
    clearTimeout(this.patience);
    if (this.reloading) this.again = true;
    else this.reloading = this.#reload(this.ended.signal).finally(() => this.#reloaded());
    return this.reloading;
  }

  /** Show what came meanwhile. */
  showNew() {
    if (this.rows.unplaced) this.reload();
    this.rows.showHeld();
    this.draw();
  }

  /** A task as it is after a change of our own: told here in case nobody else does. */
  take(task) {
    this.#hear({ type: "task", task });
  }

  /** Take out a task that is gone, at once; without effect when it is out already. */
  drop(id) {
    this.#hear({ type: "deleted", task_id: id });
    cancelAnimationFrame(this.frame);
    this.#apply();
  }

  draw() {
    this.drawn.value += 1;
  }

  async #reload(closed) {
    this.again = false;
    const began = performance.now();
    const { view } = this;
    const fresh = this.rows.emptied(view.from);
    this.swapping = true;
    const problem = await this.#load(fresh, () => view).finally(() => (this.swapping = false));
    if (closed.aborted || problem === CLOSED) return;
    if (problem === null) this.#swap(fresh, view);
    else this.#fail(problem);
    this.fill();
    const rest = RELOAD_MS - (performance.now() - began);
    if (this.again && rest > 0) await pause(rest / 1000);
  }

  #reloaded() {
    this.reloading = null;
    if (this.again && !this.ended.signal.aborted) this.reload();
  }

  #swap(fresh, { first, isTop }) {
    const anchor = this.rows.ids[first];
    const now = isTop || !anchor ? -1 : fresh.ids.indexOf(anchor);
    if (now >= 0) this.moved += now - first;
    this.rows = fresh;
    batch(() => {
      this.phase.value = "ready";
      this.problem.value = null;
      this.draw();
    });
  }

  #fail(problem) {
    batch(() => {
      this.problem.value = problem;
      if (this.phase.value === "loading") this.phase.value = "failed";
    });
  }

  // Fill the empty places of what is wanted. Returns the Problem that stopped it, or null.
  async #load(rows, wanted) {
    const { signal: aborted } = this.ended;
    const asked = new Set();
    if (this.loads++ === 0) this.recent.clear();
    try {
      for (;;) {
        const { from, to } = wanted();
        const hole = rows.firstHole(from, to);
        const step = hole < 0 ? null : pageFor(rows, hole);
        const key = step && JSON.stringify(step.query);
        if (!step || asked.has(key)) break;
        asked.add(key);
        const query = { ...conditions(this.filter), sort_by: this.filter.sort_by, page_size: PAGE, ...step.query };
        takePage(rows, step, await call("GET", `${API}/tasks`, { query, signal: aborted }));
        rows.apply(this.recent, { first: 0, isTop: true });
        if (rows === this.rows) this.draw();
      }
      return null;
    } catch (problem) {
      if (problem.name === "AbortError") return CLOSED;
      if (problem.name !== "Problem") throw problem;
      return problem;
    } finally {
      this.loads -= 1;
    }
  }

  #hear(message) {
    if (message.type === "resync") {
      this.reload();
      return;
    }
    const id = message.task_id ?? message.task.id;
    this.waiting.set(id, message);
    if (this.loads > 0) this.recent.set(id, message);
    this.frame ??= requestAnimationFrame(() => this.#apply());
    if (this.waiting.size <= MOST_WAITING) return;
    this.waiting.clear();
    this.reload();
  }

  #apply() {
    this.frame = null;
    const { moved, gone, isAdrift } = this.rows.apply(this.waiting, this.view);
    this.waiting.clear();
    this.moved += moved;
    this.selection.forget(gone);
    if (isAdrift && isNarrow(this.filter, "status")) this.drifting ??= setTimeout(() => this.#settle(), DRIFT_MS);
    this.draw();
  }

  // How many there are is told by the counts where these count the same; else the list is asked now and then.
  #settle() {
    this.drifting = null;
    this.reload();
  }

  #count(counts) {
    statistics.value = counts;
    const { rows } = this;
    const known = counts[this.filter.status || "total"];
    if (isNarrow(this.filter, "status") || this.phase.value !== "ready" || rows.isEstimate) return;
    if (!rows.ids.includes(null) || rows.total === known) return;
    rows.resize(Math.max(rows.ids.findLastIndex((id) => id !== null) + 1, known - rows.waiting));
    this.draw();
  }
}
