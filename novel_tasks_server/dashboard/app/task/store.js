// All that is known of one task: loaded once, and kept up to date by what is told of it.
import { computed, signal } from "@preact/signals";
import { call, taskPath } from "../api.js";
import { followTask } from "../live.js";
import { LogStore } from "./log-store.js";
import { happened, merged, progressed } from "./merge.js";

const PAGE = 1000;
const WHY_MS = 10_000;
const ID = /^task-[0-9a-f]{32}$/;

/**
 * One task. `state` is "loading", "there", "missing", "deleted" or "failed" (then `problem` says why).
 * `task`, `events` (all but log entries), `attempts`, `why` and `artifacts` are signals.
 */
export class TaskStore {
  constructor(id) {
    this.id = id;
    this.state = signal("loading");
    this.problem = signal(null);
    this.task = signal(null);
    this.events = signal([]);
    this.attempts = signal([]);
    this.why = signal(null);
    this.artifacts = signal(null);
    this.isFinished = computed(() => ["completed", "failed", "cancelled"].includes(this.task.value?.status));
    this.log = new LogStore(id);
    this._loadedSeq = 0; // the history is here up to this seq
    this._toldSeq = 0; // and all after this one is told
    this._ended = new AbortController();
    this._isAsking = false;
    this._asksAgain = false;
  }

  /** Begin; returns a function that ends it. */
  start() {
    if (!ID.test(this.id)) {
      this.state.value = "missing";
      return () => {};
    }
    this.load();
    const unfollow = followTask(this.id, (message) => this._hear(message));
    const timer = setInterval(() => document.hidden || this._loadWhy(), WHY_MS);
    return () => {
      unfollow();
      clearInterval(timer);
      this._ended.abort();
    };
  }

  /** Load all; again after a failure. */
  async load() {
    if (this.state.value === "failed") this.state.value = "loading";
    await this.refresh();
    if (this.state.value === "there") await this._attempted(() => this._fill());
  }

  /** Load the task as it is now, with what hangs on its state. Asked for while it runs, it runs once more. */
  async refresh() {
    this._asksAgain = this._isAsking;
    if (this._isAsking) return;
    this._isAsking = true;
    await this._attempted(async () => {
      this._see(await this._get());
      await Promise.all([this._loadAttempts(), this._loadWhy(), this._loadArtifacts()]);
    });
    this._isAsking = false;
    if (this._asksAgain && !this._ended.signal.aborted) await this.refresh();
  }

  _get(rest = "", query = {}) {
    return call("GET", taskPath(this.id, rest), { query, signal: this._ended.signal });
  }

  async _attempted(run) {
    try {
      await run();
      this.problem.value = null;
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (problem.name !== "Problem") throw problem;
      if (problem.status === 404) this._gone();
      else this.problem.value = problem;
      if (this.state.value === "loading") this.state.value = "failed";
    }
  }

  _gone() {
    this.state.value = this.task.value === null ? "missing" : "deleted";
  }

  _see(task) {
    if (this.task.value && task.last_seq < this.task.value.last_seq) return; // an answer that was overtaken
    this.task.value = task;
    this.state.value = "there";
  }

  _hear(message) {
    switch (message.type) {
      case "snapshot":
        this._see(message.task);
        this._toldSeq = Math.max(this._toldSeq, message.seq);
        if (this._loadedSeq > 0 && message.seq > this._loadedSeq)
          this._attempted(() => this._fill()).then(() => this.refresh());
        return;
      case "event":
        this._note(message);
        return;
      case "log":
        this.log.add(message);
        return;
      case "progress":
        if (this.task.value) this.task.value = progressed(this.task.value, message);
        return;
      case "deleted":
        this._gone();
        return;
      case "error":
        if (message.code === "not_found") this._gone();
    }
  }

  _note(event) {
    this.events.value = merged(this.events.value, [event]);
    if (this.task.value) this.task.value = happened(this.task.value, event);
    this.refresh();
  }

  /** Load what is not here of the history until it joins what is told. */
  async _fill() {
    do {
      const known = this.task.value.last_seq;
      await Promise.all([
        this._loadEvents(this._loadedSeq),
        this._loadedSeq ? this.log.catchUp(this._loadedSeq) : this.log.begin(known),
      ]);
      this._loadedSeq = Math.max(this._loadedSeq, known);
    } while (this._loadedSeq < this._toldSeq);
  }

  async _loadEvents(after) {
    for (let seq = after; ;) {
      const { events, last_seq } = await this._get("/events", { after: seq, limit: PAGE, logs: false });
      this.events.value = merged(this.events.value, events);
      if (events.length < PAGE) return;
      seq = last_seq;
    }
  }

  async _loadAttempts() {
    const ended = this.attempts.value.length;
    const { attempt, status } = this.task.value;
    if (attempt > ended || (attempt > 0 && status !== "processing"))
      this.attempts.value = (await this._get("/attempts")).attempts;
  }

  async _loadArtifacts() {
    const { status } = this.task.value;
    if (status === "completed") this.artifacts.value = (await this._get("/artifacts")).artifacts;
    else this.artifacts.value = null;
  }

  async _loadWhy() {
    const task = this.task.value;
    if (!task || this.state.value !== "there") return;
    this.why.value = task.status === "completed" ? null : await this._get("/why").catch(() => this.why.value);
  }
}
