// Which tasks are chosen: some, by id, or all that the filter finds.
import { signal } from "@preact/signals";

/** What is chosen of a list. */
export class Selection {
  constructor() {
    /** The chosen tasks by id, as they were when they were chosen. */
    this.some = signal(new Map());
    /** Whether all that match are chosen, loaded or not. */
    this.isAll = signal(false);
    this.last = null; // an id: new tasks move the places
  }

  has(id) {
    return this.isAll.value || this.some.value.has(id);
  }

  get isEmpty() {
    return !this.isAll.value && this.some.value.size === 0;
  }

  /** Choose the task at a place, or no longer; with `isRange` also all loaded ones from the task chosen last on. */
  toggle(rows, index, isRange = false) {
    const wanted = !this.has(rows.ids[index]);
    const others = this.isAll.value ? rows.tasks : this.some.value;
    const chosen = new Map(others);
    const last = isRange && this.last !== null ? rows.ids.indexOf(this.last) : -1;
    const from = last < 0 ? index : Math.min(last, index);
    const to = Math.max(last, index);
    for (let place = from; place <= to; place++) {
      const task = rows.at(place);
      if (!task) continue;
      if (wanted) chosen.set(task.id, task);
      else chosen.delete(task.id);
    }
    this.last = rows.ids[index];
    this.isAll.value = false;
    this.some.value = chosen;
  }

  /** Choose all that are loaded, in their order. */
  takeLoaded(rows) {
    this.isAll.value = false;
    this.some.value = new Map(rows.ids.filter((id) => id !== null).map((id) => [id, rows.tasks.get(id)]));
  }

  /** Choose all that match. */
  takeAll() {
    this.isAll.value = true;
  }

  /** Choose nothing. */
  clear() {
    this.isAll.value = false;
    if (this.some.value.size) this.some.value = new Map();
    this.last = null;
  }

  /** These ids are no longer there. */
  forget(gone) {
    if (![...gone].some((id) => this.some.value.has(id))) return;
    this.some.value = new Map([...this.some.value].filter(([id]) => !gone.has(id)));
  }
}
