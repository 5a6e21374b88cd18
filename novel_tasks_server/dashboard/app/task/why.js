// Why the task is where it is, in one sentence made of the facts, and what can be done about it.
import { duration, moment } from "../format.js";
import { html } from "../html.js";
import { href } from "../router.js";
import { t } from "../words.js";

const TOLD = new Set([
  "cancelling",
  "reported",
  "worker_gone",
  "worker_silent",
  "retrying",
  "scheduled",
  "outside",
  "paused",
  "no_worker",
  "queued",
  "next",
]);
const WARNS = new Set(["worker_gone", "worker_silent", "paused", "no_worker"]);
const LEADS_TO_QUEUE = new Set(["paused", "no_worker", "queued"]);

/** The sentence, while the task waits or something is wrong with who runs it. */
export function Why({ why }) {
  if (!why || !TOLD.has(why.reason)) return null;
  return html`
    <p class=${WARNS.has(why.reason) ? "notice warn" : "notice"}>
      ${sentence(why)} ${LEADS_TO_QUEUE.has(why.reason) && html`<a href=${href("queue")}>${t("task.why.queue")}</a>`}
    </p>
  `;
}

/** The facts as a sentence. */
export function sentence(why) {
  const heard = why.lease?.heartbeat_seconds ?? null;
  const wait = why.run_at ? Math.max(0, (Date.parse(why.run_at) - Date.parse(why.at)) / 1000) : 0;
  return t(`task.why.${why.reason}`, {
    processor: why.processor,
    ahead: ahead(why.ahead),
    slots: why.slots,
    running: why.running,
    when: moment(why.run_at ?? why.lease?.deadline),
    wait: duration(wait),
    attempt: why.attempt,
    left: t("task.why.left", { n: why.attempts_left }),
    worker: why.lease?.worker_name || String(why.lease?.worker_id ?? ""),
    heard: duration(heard),
  });
}

function ahead(count) {
  if (!count) return t("task.why.first");
  return count > 10_000 ? t("task.why.many") : t("task.why.ahead", { n: count });
}
