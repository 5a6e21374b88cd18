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

/**
 * The log of a task. `lines` are in the order of their seq; `version` grows with every change; `change` says which it was
 * last: `{added, removed, isWhole}`, lines put at the end and taken from the beginning, or that all is different.
 */
export class LogStore {
  constructor(id) {
    this.id = id;
    this.lines = [];
    this.version = signal(0);
    this.isLoading = signal(false);
    this.isPaused = false;
    this._from = Object.fromEntries(LEVELS.map((level) => [level, Infinity]));
    this._told = [];
    this._timer = null;
  }

  /** Load the newest lines up to `seq`. */
  async begin(seq) {
    const after = Math.max(0, seq - PAGE);
    this._join(await this._load(after));
    this._covers("debug", after + 1);
  }

  /** Load all that came after this seq. */
  async catchUp(seq) {
    for (let after = seq; ;) {
      const lines = await this._load(after);
      this._join(lines);
      if (lines.length < PAGE) return;
      after = lines.at(-1).seq;
    }
  }

  /** A line was told. Lines that come fast are shown together. */
  add({ seq, at, attempt, level, message }) {
    this._told.push({ seq, at, attempt, level, message });
    this._timer ??= setTimeout(() => this._flush(), FRAME_MS);
  }

  /** The seq from which on all lines of at least this level are here. */
  from(level) {
    return this._from[level];
  }

  /** Whether lines of at least this level may be older than the oldest that is here. */
  hasOlder(level) {
    return this._from[level] !== Infinity && this._from[level] > 1;
  }

  /** Load older lines of at least this level: about a thousand. Raises a Problem. */
  async loadOlder(level) {
    if (this.isLoading.value || !this.hasOlder(level)) return;
    this.isLoading.value = true;
    try {
      await this._older(level);
    } finally {
      this.isLoading.value = false;
    }
  }

  /** All lines of at least this level, from the first, page by page; `tell` hears how many there are so far. */
  async all(level, tell) {
    const found = [];
    for (let after = 0; ; after = found.at(-1).seq) {
      const lines = await this._load(after, level);
      found.push(...lines);
      tell(found.length);
      if (lines.length < PAGE) return found;
    }
  }

  /** Where levels are rare, many seqs hold few lines: the stretch grows until it brings a page. */
  async _older(level) {
    let got = 0;
    for (let stretch = PAGE; got < PAGE && this.hasOlder(level); stretch *= 4) {
      const before = this._from[level];
      const start = Math.max(0, before - 1 - stretch);
      for (let after = start; ;) {
        const lines = await this._load(after, level);
        const fitting = lines.filter(({ seq }) => seq < before);
        this._join(fitting);
        got += fitting.length;
        if (lines.length < PAGE || fitting.length < lines.length) break;
        after = lines.at(-1).seq;
      }
      this._covers(level, start + 1);
    }
  }

  async _load(after, level = "debug") {
    const query = { after, limit: PAGE, level: level === "debug" ? null : level };
    return (await call("GET", taskPath(this.id, "/logs"), { query })).logs;
  }

  _covers(level, from) {
    for (const higher of LEVELS.slice(LEVELS.indexOf(level))) this._from[higher] = Math.min(this._from[higher], from);
    this.version.value += 1;
  }

  _join(lines) {
    this.lines = merged(this.lines, lines);
    this.version.value += 1;
  }

  _flush() {
    this._timer = null;
    const told = this._told;
    this._told = [];
    this.lines = merged(this.lines, told);
    const most = this.isPaused ? 4 * MOST : MOST;
    if (this.lines.length > most) this._forget(this.lines.length - MOST);
    this.version.value += 1;
  }

  /** So that a page that is open for days does not grow for ever; what is forgotten can be loaded again. */
  _forget(count) {
    this.lines = this.lines.slice(count);
    for (const level of LEVELS) this._from[level] = Math.max(this._from[level], this.lines[0].seq);
  }
}
