// The places of the list: which task is where, as far as that is known, and what live messages change in it. Pure.
// Most places of a long list are empty until somebody looks at them: their id is null.
import { isById, matcherOf } from "./filter.js";

/** The places of all tasks that a filter finds, in its order. */
export class Rows {
  constructor(filter, length = 1) {
    this.filter = filter;
    this.ids = new Array(length).fill(null);
    this.tasks = new Map();
    /** New tasks whose places are above what the person looks at: shown when they ask for them. */
    this.held = new Map();
    /** How many new tasks there are whose places nobody can know without asking. */
    this.unplaced = 0;
    /** By the id of the last task of a page: the cursor that goes on from it, downwards and upwards. */
    this.cursors = { down: new Map(), up: new Map() };
    this.newest = ""; // the highest id that was seen: ids begin with the time
    this.isEstimate = false;
    this.matches = matcherOf(filter);
  }

  /** How many tasks there are, those that are not shown yet included. */
  get total() {
    return this.ids.length + this.held.size + this.unplaced;
  }

  /** How many new tasks wait to be shown. */
  get waiting() {
    return this.held.size + this.unplaced;
  }

  /** The task at a place; undefined when it is not loaded. */
  at(index) {
    return this.tasks.get(this.ids[index]);
  }

  /** The first empty place from `from` up to `to`, which is left out; -1 without one. */
  firstHole(from, to) {
    const end = Math.min(to, this.ids.length);
    for (let index = Math.max(0, from); index < end; index++) if (this.ids[index] === null) return index;
    return -1;
  }

  /** As many places, all empty but the one from which `from` can be reached again by a cursor. */
  emptied(from) {
    const fresh = new Rows(this.filter, Math.max(1, this.ids.length));
    fresh.cursors = this.cursors;
    fresh.newest = this.newest;
    const near = this.nearest("down", from);
    if (near >= 0 && near < from) fresh.place(near, [this.at(near)]);
    return fresh;
  }

  /** The nearest place above (`down`) or below (`up`) from which a cursor leads to `index`; -1 without one. */
  nearest(direction, index) {
    const step = direction === "down" ? -1 : 1;
    for (let at = index + step; at >= 0 && at < this.ids.length; at += step) {
      if (this.ids[at] !== null && this.cursors[direction].has(this.ids[at])) return at;
    }
    return -1;
  }

  /** Make it so many places. */
  resize(length) {
    for (const id of this.ids.splice(length)) if (id !== null) this.tasks.delete(id);
    while (this.ids.length < length) this.ids.push(null);
  }

  /** Put loaded tasks where they are: from `start` on. A task that was elsewhere has moved. */
  place(start, tasks) {
    tasks.forEach((task, step) => {
      const index = start + step;
      if (index < 0 || index >= this.ids.length) return;
      const before = this.ids[index];
      if (before !== task.id) {
        if (this.tasks.has(task.id)) this.ids[this.ids.indexOf(task.id)] = null;
        if (before !== null) this.tasks.delete(before);
        this.ids[index] = task.id;
      }
      this.held.delete(task.id);
      this.#keep(task);
    });
  }

  /**
   * Take in live messages by task id. New tasks go to their places unless these are above `first`, the first place that
   * the person sees, and they are not at the top. Returns `{moved, gone, isAdrift}`: by how many places what they see
   * has moved, the ids that left, and whether tasks may have come or gone in places that are not loaded.
   */
  apply(messages, { first, isTop }) {
    const gone = new Set();
    const fresh = [];
    let isAdrift = false;
    for (const [id, message] of messages) {
      const task = message.type === "task" && this.matches(message.task) ? message.task : null;
      if (task && (this.tasks.has(id) || this.held.has(id))) this.#keep(task);
      else if (task) fresh.push(task);
      else if (this.tasks.has(id)) gone.add(id);
      else if (!this.held.delete(id)) isAdrift = true;
    }
    const moved = this.#remove(gone, first);
    isAdrift = this.#insert(fresh, first - moved, isTop) || isAdrift;
    return { moved: -moved, gone, isAdrift: isAdrift && this.ids.includes(null) };
  }

  /** Show what waits: only what has a known place. */
  showHeld() {
    const waiting = [...this.held.values()];
    this.held.clear();
    this.#insert(waiting, 0, true);
  }

  #keep(task) {
    const kept = this.held.has(task.id) ? this.held : this.tasks;
    kept.set(task.id, task);
    if (task.id > this.newest) this.newest = task.id;
  }

  #remove(gone, first) {
    if (gone.size === 0) return 0;
    let above = 0;
    this.ids = this.ids.filter((id, index) => {
      if (!gone.has(id)) return true;
      this.tasks.delete(id);
      if (index < first) above += 1;
      return false;
    });
    return above;
  }

  // Returns whether some may be in places that are not loaded.
  #insert(fresh, first, isTop) {
    const top = [];
    let isAdrift = false;
    for (const task of fresh.sort((a, b) => (a.id < b.id ? -1 : 1))) {
      const place = this.#placeOf(task);
      if (place === null) isAdrift = true;
      else if (place === "unknown") this.unplaced += 1;
      else if (place < first && !isTop) this.held.set(task.id, task);
      else if (place === 0) top.push(task);
      else this.ids.splice(place, 0, task.id);
      if (place === null || place === "unknown") continue;
      this.#keep(task);
    }
    if (top.length) {
      const ids = top.map((task) => task.id).sort();
      if (this.filter.order === "desc") ids.reverse();
      this.ids = [...ids, ...this.ids];
    }
    return isAdrift;
  }

  // The place where a task belongs; null when that is among those that are not loaded, "unknown" in another order.
  #placeOf(task) {
    if (this.ids.length === 0) return 0;
    if (!isById(this.filter)) {
      if (task.id <= this.newest) return null;
      this.newest = task.id;
      return "unknown";
    }
    if (task.id > this.newest) return this.filter.order === "desc" ? 0 : this.ids.length;
    const isBefore = this.filter.order === "desc" ? (id) => task.id > id : (id) => task.id < id;
    const hole = this.ids.indexOf(null);
    const loaded = hole < 0 ? this.ids.length : hole;
    let [low, high] = [0, loaded];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBefore(this.ids[middle])) high = middle;
      else low = middle + 1;
    }
    return low < loaded || hole < 0 ? low : null;
  }
}
