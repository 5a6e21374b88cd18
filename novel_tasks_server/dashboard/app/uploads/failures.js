// What to do after an upload did not succeed. Pure.

const MOST_BREAKS = 4;
const BUSY_SECONDS = 5;
const STATUS_FULL = 507;

/**
 * What comes next: `{then}` is "refuse" (with its `status`, and a `refusal` to say), "correct" (with `fields`, pointers to what is
 * wrong with them), "ask" for a token, "wait" (with `why`, and `seconds` when they are known), "stop" until the person says so, or "retry".
 * `isThere` says whether the file can still be read, `isReached` whether the server answers, `breaks` how often this file has failed,
 * `isTokenNew` whether there is another token than the one it was sent with.
 */
export function afterFailure(problem, { isThere, isReached, breaks, isTokenNew }) {
  const { status } = problem;
  if (!isThere) return { then: "refuse", status: "refused", refusal: { key: "uploads.refused.gone" } };
  if (status === 0 && !isReached) return { then: "wait", why: "unreachable" };
  if (status === 0)
    return breaks < MOST_BREAKS
      ? { then: "retry" }
      : { then: "refuse", status: "failed", refusal: { key: "uploads.failed.broken", n: breaks } };
  if (status === 401) return isTokenNew ? { then: "retry" } : { then: "ask" };
  if (status === 429) return { then: "wait", why: "busy", seconds: problem.retryAfter ?? BUSY_SECONDS };
  if ([502, 503, 504].includes(status))
    return { then: "wait", why: "unreachable", seconds: problem.retryAfter ?? BUSY_SECONDS };
  if (status === STATUS_FULL) return { then: "stop" };
  const fields = choicesIn(problem);
  if (fields) return { then: "correct", fields };
  return { then: "refuse", status: status >= 500 ? "failed" : "refused" };
}

/** The choices that the server does not take, when it is they that it refused and not the file. */
function choicesIn({ status, errors }) {
  if (status !== 422) return null;
  const wrong = errors.filter(({ pointer }) => /^\/(options|priority|run_at|processor)(\/|$)/.test(pointer));
  if (!wrong.length) return null;
  return Object.fromEntries(wrong.map((fault) => [fault.pointer.replace(/\/$/, ""), fault]));
}
