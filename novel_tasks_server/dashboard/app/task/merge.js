// What is told and what is loaded, put together: pure.

/** The entries of two lists that are each in the order of their `seq`, in that order, each once. */
export function merged(old, more) {
  if (!more.length) return old;
  if (!old.length || more[0].seq > old.at(-1).seq) return [...old, ...more];
  const known = new Map();
  for (const entry of old) known.set(entry.seq, entry);
  for (const entry of more) known.set(entry.seq, entry);
  return [...known.values()].sort((one, other) => one.seq - other.seq);
}

/** The task after a message `progress`: how far, and how long the rest takes if it goes as fast. */
export function progressed(task, { progress, fraction, stage, attempt, at }) {
  const spent = (Date.parse(at) - Date.parse(task.started_at)) / 1000;
  const isTelling = task.attempt === attempt && fraction >= 0.02 && fraction < 1 && spent > 0;
  const eta = isTelling ? (spent * (1 - fraction)) / fraction : null;
  return { ...task, status: "processing", progress, stage, attempt, eta_seconds: eta };
}

/** The task right after an event, until it is loaded anew; what an event does not tell stays as it was. */
export function happened(task, event) {
  const now = { ...task, status: event.status ?? task.status, last_seq: Math.max(task.last_seq, event.seq) };
  switch (event.kind) {
    case "started":
      return {
        ...now,
        status: "processing",
        started_at: event.at,
        attempt: event.attempt,
        progress: 0,
        stage: "",
        eta_seconds: null,
      };
    case "completed":
      return { ...now, status: "completed", completed_at: event.at, progress: 100, eta_seconds: null };
    case "failed":
      return {
        ...now,
        status: "failed",
        completed_at: event.at,
        error: event.error,
        error_message: event.error.message,
      };
    case "cancelled":
      return { ...now, status: "cancelled", completed_at: event.at };
    case "retry":
      return { ...now, status: "pending", run_at: event.run_at, error: event.error };
    case "released":
    case "requeued":
      return { ...now, status: "pending", completed_at: null };
    case "cancel_requested":
      return { ...now, cancel_requested: true };
    case "reprioritized":
      return { ...now, priority: event.priority };
    default:
      return now;
  }
}
