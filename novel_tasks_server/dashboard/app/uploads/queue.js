// The uploads of this window: all of them, a few on their way, the others waiting. They live as long as the page.
import { batch, computed, effect, signal } from "@preact/signals";
import { askForToken, asking, given, token } from "../access.js";
import { API, call, reasonFor, unreachable } from "../api.js";
import { connection, reconnect } from "../live.js";
import { catalogue } from "./catalogue.js";
import { fields, refusedFields } from "./choices.js";
import { isReadable, refusalOf } from "./files.js";
import { afterFailure } from "./failures.js";
import { transfer } from "./transfer.js";

const MOST_AT_ONCE = 3;
const LOOK_AGAIN_SECONDS = 2;
const LONGEST_LOOK_SECONDS = 20;

/** All uploads, in the order in which they were given. */
export const uploads = signal([]);

/**
 * Why nothing is sent now, null when something is: `{why, until, problem}`. `why` is "busy" or "unreachable" (both go on
 * by themselves, at `until` in milliseconds at the latest), "token" or "stopped" (the person has to do something).
 */
export const hold = signal(null);

const FINAL = ["done", "known", "refused", "failed", "cancelled"];
let last = 0;
let tries = 0;
let isCareful = false;
let timer = null;

class Upload {
  constructor({ file, path }) {
    this.id = ++last;
    this.file = file;
    this.path = path;
    this.size = file.size;
    this.fields = fields.peek();
    this.isEarly = catalogue.peek() === null;
    this.breaks = 0;
    this.mayHaveArrived = false;
    this.abort = null;
    this.state = signal({ status: "waiting", sent: 0 });
  }

  get status() {
    return this.state.value.status;
  }

  set(status, more = {}) {
    this.state.value = { status, sent: 0, ...more };
  }
}

/** Take files in: `[{file, path}]`. What was settled before goes; what was refused goes when it is given again. */
export function add(given) {
  const paths = new Set(given.map(({ path }) => path));
  const isGone = (one) =>
    (isBusy.peek() ? false : one.status === "done" || one.status === "known") ||
    (paths.has(one.path) && isOpenEnd(one.status));
  uploads.value = [...uploads.peek().filter((one) => !isGone(one)), ...given.map((one) => new Upload(one))];
}

const isOpenEnd = (status) => status === "refused" || status === "failed" || status === "cancelled";

/** Counts and bytes of all uploads. */
export const summary = computed(() => {
  const found = {
    waiting: 0,
    sending: 0,
    storing: 0,
    done: 0,
    known: 0,
    refused: 0,
    failed: 0,
    cancelled: 0,
    all: 0,
    bytes: 0,
    sent: 0,
  };
  for (const { size, state } of uploads.value) {
    const { status, sent } = state.value;
    found[status] += 1;
    if (isOpenEnd(status)) continue;
    found.all += 1;
    found.bytes += size;
    found.sent += status === "done" || status === "known" || status === "storing" ? size : sent;
  }
  return found;
});

/** Whether there is something left to be sent. */
export const isBusy = computed(() => summary.value.waiting + summary.value.sending + summary.value.storing > 0);

/** Whether novels wait because what is wanted of them cannot be asked for as it stands. */
export const waitsForChoices = computed(() =>
  uploads.value.some((one) => one.status === "waiting" && one.fields === null && !one.isEarly),
);

/** Send them as it stands now. */
export function resumeWithChoices() {
  batch(() => {
    for (const one of uploads.peek()) if (one.status === "waiting" && one.fields === null) one.fields = fields.peek();
    uploads.value = [...uploads.peek()];
  });
}

export function cancel(one) {
  one.abort?.abort();
  if (!FINAL.includes(one.status)) one.set("cancelled");
}

export function cancelAll() {
  batch(() => uploads.peek().forEach((one) => one.status !== "storing" && cancel(one)));
}

/** Send one again that was refused, failed or cancelled: with what is chosen now. */
export function again(one) {
  one.breaks = 0;
  one.fields = fields.peek();
  one.set("waiting");
}

/** Take uploads that are settled off the page. */
export function forget(those = uploads.peek().filter(({ status }) => FINAL.includes(status))) {
  const gone = new Set(those);
  uploads.value = uploads.peek().filter((one) => !gone.has(one));
}

/** Go on now, whatever was waited for. */
export function goOn() {
  clearTimeout(timer);
  hold.value = null;
}

/** Wait; with `seconds`, go on after them. */
function stop(why, { seconds = null, problem = null } = {}) {
  isCareful = true;
  clearTimeout(timer);
  if (seconds !== null) timer = setTimeout(goOn, seconds * 1000);
  hold.value = { why, problem, until: seconds === null ? null : Date.now() + seconds * 1000 };
}

function pump() {
  if (hold.peek() || asking.peek() || !catalogue.peek()) return;
  const { meta } = catalogue.peek();
  let active = uploads.peek().filter(({ status }) => status === "sending" || status === "storing").length;
  for (const one of uploads.peek()) {
    if (one.status !== "waiting") continue;
    const refusal = refusalOf(one.file, meta);
    if (one.isEarly) Object.assign(one, { isEarly: false, fields: fields.peek() });
    if (refusal) one.set("refused", { refusal });
    else if (one.fields !== null && active < (isCareful ? 1 : MOST_AT_ONCE)) {
      active += 1;
      send(one);
    }
  }
}

async function send(one) {
  const used = token.peek();
  one.abort = new AbortController();
  one.set("sending");
  let isAll = false;
  const onSent = (sent, all) => {
    isAll ||= all;
    one.set(all ? "storing" : "sending", { sent });
  };
  try {
    if (!(await isReadable(one.file))) return one.set("refused", { refusal: { key: "uploads.refused.gone" } });
    const answer = await transfer(one.file, one.fields, { signal: one.abort.signal, onSent });
    tries = 0;
    isCareful = false;
    one.set(answer.duplicate && !one.mayHaveArrived ? "known" : "done", { task: answer.task_id });
  } catch (error) {
    one.mayHaveArrived ||= isAll;
    await failed(one, error, used);
  }
}

async function failed(one, error, used) {
  if (error.name === "AbortError") return one.set("cancelled");
  if (error.name !== "Problem") return one.set("failed", { problem: unreachable() });
  const [isThere, isReached] = error.status === 0 ? await Promise.all([isReadable(one.file), answers()]) : [true, true];
  if (one.status === "cancelled") return undefined;
  const next = afterFailure(error, { isThere, isReached, breaks: ++one.breaks, isTokenNew: token.peek() !== used });
  switch (next.then) {
    case "refuse":
      return one.set(next.status, next.refusal ? { refusal: next.refusal } : { problem: error });
    case "correct":
      return batch(() => {
        refusedFields.value = { ...refusedFields.peek(), ...next.fields };
        const { fields: those } = one;
        one.set("waiting");
        for (const other of uploads.peek())
          if (other.fields === those && other.status === "waiting") other.fields = null;
      });
    case "ask":
      one.breaks = 0;
      one.set("waiting");
      if (!(await askForToken(reasonFor(used)))) stop("token");
      return undefined;
    case "wait":
      one.breaks = 0;
      if (next.seconds || hold.peek()?.why !== next.why)
        stop(next.why, { seconds: next.seconds ?? look(), problem: error });
      return one.set("waiting");
    case "stop":
      one.breaks = 0;
      stop("stopped", { problem: error });
      return one.set("waiting");
    default:
      return one.set("waiting");
  }
}

/** How long until the server is looked for again, each time longer. */
function look() {
  tries += 1;
  return Math.min(LONGEST_LOOK_SECONDS, LOOK_AGAIN_SECONDS * 2 ** (tries - 1));
}

async function answers() {
  try {
    await call("GET", `${API}/meta`);
    return true;
  } catch (problem) {
    return problem.status !== 0 && problem.status < 502;
  }
}

/** Begin: send what waits as soon as it can be sent; ask before the page is left in the middle of it. */
export function startQueue() {
  effect(() => {
    const reasons = [hold.value, asking.value, catalogue.value, summary.value];
    if (reasons) queueMicrotask(pump);
  });
  given.subscribe(() => hold.peek()?.why === "token" && goOn());
  connection.subscribe((state) => {
    if (state === "live" && hold.peek()?.why === "unreachable") goOn();
  });
  addEventListener("online", () => hold.peek()?.why === "unreachable" && (reconnect(), goOn()));
  effect(() => {
    if (isBusy.value) addEventListener("beforeunload", warn);
    else removeEventListener("beforeunload", warn);
  });
}

function warn(event) {
  event.preventDefault();
  event.returnValue = true;
}
