// All that is known of one task: loaded once, and kept up to date by what is told of it.
import { computed, signal } from "@preact/signals";
import { call, taskPath } from "../api.js";
import { followTask } from "../live.js";
import { isFinal } from "../tasks/filter.js";
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
  #loadedSeq = 0; // the history is here up to this seq
  #toldSeq = 0; // and all after this one is told
  #ended = new AbortController();
  #isAsking = false;
  #asksAgain = false;

  constructor(id) {
    this.id = id;
    this.state = signal("loading");
    this.problem = signal(null);
    this.task = signal(null);
    this.events = signal([]);
    this.attempts = signal([]);
    this.why = signal(null);
    this.artifacts = signal(null);
    this.isFinished = computed(() => isFinal(this.task.value?.status));
    this.log = new LogStore(id, this.#ended.signal);
    /** Whether something is being done to the task. */
    this.isActing = signal(false);
    /** Whether the person is asked what else to do with the novel. */
    this.asksAgain = signal(false);
  }

  /** Begin; returns a function that ends it. */
  start() {
    if (!ID.test(this.id)) {
      this.state.value = "missing";
      return () => {};
    }
    this.load();
    const unfollow = followTask(this.id, (message) => this.#hear(message));
    const timer = setInterval(() => document.hidden || this.#loadWhy(), WHY_MS);
    return () => {
      unfollow();
      clearInterval(timer);
      this.#ended.abort();
    };
  }

  /** Load all; again after a failure. */
  load() {
    if (this.state.value === "failed") this.state.value = "loading";
    return this.refresh();
  }

  /**
   * Load the task as it is now, with what hangs on its state and what is missing of its history. Asked for while it
   * runs, it runs once more.
   */
  async refresh() {
    this.#asksAgain = this.#isAsking;
    if (this.#isAsking) return;
    this.#isAsking = true;
    try {
      await this.#attempted(() => this.#refresh());
    } finally {
      this.#isAsking = false;
    }
    if (this.#asksAgain && !this.#ended.signal.aborted) await this.refresh();
  }

  async #refresh() {
    this.#see(await this.#get());
    await Promise.all([this.#loadAttempts(), this.#loadWhy(), this.#loadArtifacts()]);
    if (this.#loadedSeq === 0 || this.#loadedSeq < this.#toldSeq) await this.#fill();
  }

  #get(rest = "", query = {}) {
    return call("GET", taskPath(this.id, rest), { query, signal: this.#ended.signal });
  }

  async #attempted(run) {
    try {
      await run();
      this.problem.value = null;
    } catch (problem) {
      if (problem.name === "AbortError") return;
      if (problem.name !== "Problem") throw problem;
      if (problem.status === 404) this.#gone();
      else this.problem.value = problem;
      if (this.state.value === "loading") this.state.value = "failed";
    }
  }

  #gone() {
    this.state.value = this.task.value === null ? "missing" : "deleted";
  }

  #see(task) {
    if (this.state.value === "deleted") return; // an answer that was overtaken, as the next one
    if (this.task.value && task.last_seq < this.task.value.last_seq) return;
    this.task.value = task;
    this.state.value = "there";
  }

  #hear(message) {
    switch (message.type) {
      case "snapshot":
        this.#see(message.task);
        this.#toldSeq = Math.max(this.#toldSeq, message.seq);
        if (this.problem.value || (this.#loadedSeq > 0 && message.seq > this.#loadedSeq)) this.refresh();
        return;
      case "event":
        this.#note(message);
        return;
      case "log":
        this.log.add(message);
        return;
      case "progress":
        if (this.task.value) this.task.value = progressed(this.task.value, message);
        return;
      case "deleted":
        this.#gone();
        return;
      case "error":
        if (message.code === "not_found") this.#gone();
    }
  }

  #note(event) {
    this.events.value = merged(this.events.value, [event]);
    if (this.task.value) this.task.value = happened(this.task.value, event);
    this.refresh();
  }

  /** Load what is not here of the history until it joins what is told. */
  async #fill() {
    do {
      const known = this.task.value.last_seq;
      await Promise.all([
        this.#loadEvents(this.#loadedSeq),
        this.#loadedSeq ? this.log.catchUp(this.#loadedSeq) : this.log.begin(known),
      ]);
      this.#loadedSeq = Math.max(this.#loadedSeq, known);
    } while (this.#loadedSeq < this.#toldSeq);
  }

  async #loadEvents(after) {
    for (let seq = after; ;) {
      const { events, last_seq } = await this.#get("/events", { after: seq, limit: PAGE, logs: false });
      this.events.value = merged(this.events.value, events);
      if (events.length < PAGE) return;
      seq = last_seq;
    }
  }

  async #loadAttempts() {
    const ended = this.attempts.value.length;
    const { attempt, status } = this.task.value;
    if (attempt > ended || (attempt > 0 && status !== "processing"))
      this.attempts.value = (await this.#get("/attempts")).attempts;
  }

  async #loadArtifacts() {
    const { status } = this.task.value;
    if (status === "completed") this.artifacts.value = (await this.#get("/artifacts")).artifacts;
    else this.artifacts.value = null;
  }

  async #loadWhy() {
    const task = this.task.value;
    if (!task || this.state.value !== "there") return;
    this.why.value = task.status === "completed" ? null : await this.#get("/why").catch(() => this.why.value);
  }
}
