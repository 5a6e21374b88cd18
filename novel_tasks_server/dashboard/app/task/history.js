// A task's events as a story: one entry for each, with how long it took to come to it. Pure.

const ENDS = new Set(["completed", "failed", "cancelled", "retry", "released"]);
const TONES = { completed: "good", failed: "bad", retry: "bad", cancelled: "dull", released: "dull", started: "busy" };

/**
 * `{key, seq, kind, at, tone, gap, seconds, event}` for the upload and every event, in order. `gap` names the time since the
 * entry before: "waited" before a start, "ran" before an end, else "later".
 */
export function entriesOf(task, events) {
  const entries = [
    {
      key: "submitted",
      seq: 0,
      kind: "submitted",
      at: task.uploaded_at,
      tone: "",
      gap: null,
      seconds: null,
      event: {},
    },
  ];
  let changed = Date.parse(task.uploaded_at);
  for (const event of events) {
    const at = Date.parse(event.at);
    const kind = event.kind === "retry" && event.error?.type === "worker_lost" ? "rescued" : event.kind;
    const gap = kind === "started" ? "waited" : ENDS.has(event.kind) && event.attempt ? "ran" : "later";
    entries.push({
      key: event.seq,
      seq: event.seq,
      kind,
      at: event.at,
      tone: TONES[event.kind] ?? "",
      gap,
      seconds: Math.max(0, (at - changed) / 1000),
      event,
    });
    if (kind !== "reprioritized" && kind !== "cancel_requested") changed = at;
  }
  return entries;
}

/** The entries to show of many: the first and the last ones; `hidden` tells how many lie between. */
export function shortened(entries, most) {
  if (entries.length <= most + 1) return { first: entries, last: [], hidden: 0 };
  return { first: entries.slice(0, 3), last: entries.slice(-(most - 3)), hidden: entries.length - most };
}
