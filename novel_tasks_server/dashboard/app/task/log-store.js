// The lines of a task's log that are here: the newest first of all, older ones when they are wanted, new ones as they are told.
import { signal } from "@preact/signals";
import { call, taskPath } from "../api.js";
import { merged } from "./merge.js";

export const LEVELS = ["debug", "info", "warning", "error"];

const PAGE = 1000;
const MOST = 50_000;
const FRAME_MS = 100;

/** Whether a line of level `one` is of at least level `least`. */
export const isAtLeast = (one, least) => LEVELS.indexOf(one) >= LEVELS.indexOf(least);

/** The log of a task, loaded until `ended` aborts. `lines` are in the order of their seq; `version` grows with every change. */
export class LogStore {
  #ended;
  #from = Object.fromEntries(LEVELS.map((level) => [level, Infinity]));
  #told = [];
  #timer = null;

  constructor(id, ended) {
    this.id = id;
    this.#ended = ended;
    this.lines = [];
    this.version = signal(0);
    this.isLoading = signal(false);
    this.isPaused = false;
  }

  /** Load the newest lines up to `seq`. */
  async begin(seq) {
    const after = Math.max(0, seq - PAGE);
    this.#join(await this.#load(after));
    this.#covers("debug", after + 1);
  }

  /** Load all that came after this seq. */
  async catchUp(seq) {
    for (let after = seq; ;) {
      const lines = await this.#load(after);
      this.#join(lines);
      if (lines.length < PAGE) return;
      after = lines.at(-1).seq;
    }
  }

  /** A line was told. Lines that come fast are shown together. */
  add({ seq, at, attempt, level, message }) {
    this.#told.push({ seq, at, attempt, level, message });
    this.#timer ??= setTimeout(() => this.#flush(), FRAME_MS);
  }

  /** The seq from which on all lines of at least this level are here. */
  from(level) {
    return this.#from[level];
  }

  /** Whether lines of at least this level may be older than the oldest that is here. */
  hasOlder(level) {
    return this.#from[level] !== Infinity && this.#from[level] > 1;
  }

  /** Load older lines of at least this level: about a thousand. Raises a Problem, or an AbortError. */
  async loadOlder(level) {
    if (this.isLoading.value || !this.hasOlder(level)) return;
    this.isLoading.value = true;
    try {
      await this.#older(level);
    } finally {
      this.isLoading.value = false;
    }
  }

  /** All lines of at least this level, from the first, page by page; `tell` hears how many there are so far. */
  async all(level, tell) {
    const found = [];
    for (let after = 0; ; after = found.at(-1).seq) {
      const lines = await this.#load(after, level);
      found.push(...lines);
      tell(found.length);
      if (lines.length < PAGE) return found;
    }
  }

  /** Where levels are rare, many seqs hold few lines: the stretch grows until it brings a page. */
  async #older(level) {
    let got = 0;
    for (let stretch = PAGE; got < PAGE && this.hasOlder(level); stretch *= 4) {
      const before = this.#from[level];
      const start = Math.max(0, before - 1 - stretch);
      for (let after = start; ;) {
        const lines = await this.#load(after, level);
        const fitting = lines.filter(({ seq }) => seq < before);
        this.#join(fitting);
        got += fitting.length;
        if (lines.length < PAGE || fitting.length < lines.length) break;
        after = lines.at(-1).seq;
      }
      this.#covers(level, start + 1);
    }
  }

  async #load(after, level = "debug") {
    const query = { after, limit: PAGE, level: level === "debug" ? null : level };
    return (await call("GET", taskPath(this.id, "/logs"), { query, signal: this.#ended })).logs;
  }

  #covers(level, from) {
    for (const higher of LEVELS.slice(LEVELS.indexOf(level))) this.#from[higher] = Math.min(this.#from[higher], from);
    this.version.value += 1;
  }

  #join(lines) {
    this.lines = merged(this.lines, lines);
    this.version.value += 1;
  }

  #flush() {
    this.#timer = null;
    const told = this.#told;
    this.#told = [];
    this.lines = merged(this.lines, told);
    const most = this.isPaused ? 4 * MOST : MOST;
    if (this.lines.length > most) this.#forget(this.lines.length - MOST);
    this.version.value += 1;
  }

  /** So that a page that is open for days does not grow for ever; what is forgotten can be loaded again. */
  #forget(count) {
    this.lines = this.lines.slice(count);
    for (const level of LEVELS) this.#from[level] = Math.max(this.#from[level], this.lines[0].seq);
  }
}
