// Requests to the server. Addresses are relative to the page, so it works below any path of a proxy.
import { askForToken, identity, token } from "./access.js";
import { hasWords, t } from "./words.js";

export const API = "api/v1";

const MOST_TRIES = 4;
const PREFIX = "urn:novel-tasks:problem:";

/** A refusal or a failure: what the server said (RFC 9457), or that it could not be reached (status 0). */
export class Problem extends Error {
  constructor({ status, kind = "", detail = "", errors = [], retryAfter = null, body = {} }) {
    super(detail);
    Object.assign(this, { name: "Problem", status, kind, detail, errors, retryAfter, body });
  }

  /** What the page itself says of this kind; null where it has no words for it. */
  get words() {
    const key = `problem.${this.kind || this.status}`;
    return hasWords(key) ? t(key, { ...this.body, seconds: this.retryAfter ?? 0 }) : null;
  }

  /** What is wrong at which place, in the server's words. */
  get places() {
    return this.errors.map(({ pointer, detail }) => `${pointer.replace(/^\//, "")}: ${detail}`);
  }

  /** One sentence for people, in their language where there is one for this kind. */
  get text() {
    const { places } = this;
    const text = this.words ?? this.detail;
    return places.length && !text.startsWith(places[0].slice(0, 10)) ? `${text} (${places.join("; ")})` : text;
  }

  /** Whether the same may well succeed a little later. */
  get isPassing() {
    return (
      this.status === 0 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504
    );
  }
}

export const unreachable = () => new Problem({ status: 0, kind: "unreachable", detail: t("problem.unreachable") });

/** The Problem in an answer: `read` returns a header, `text` is the body. */
export function problemOf(status, text, read) {
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    // Not ours: a proxy's page.
  }
  const retryAfter = Number.parseFloat(read("Retry-After")) || null;
  const kind = String(body.type ?? "").startsWith(PREFIX) ? body.type.slice(PREFIX.length) : "";
  return new Problem({
    status,
    kind,
    detail: body.detail ?? t("problem.other", { status: String(status) }),
    errors: body.errors ?? [],
    retryAfter,
    body,
  });
}

/** The headers that say who asks. */
export function credentials() {
  return token.value ? { Authorization: `Bearer ${token.value}` } : {};
}

/** Resolve after so many seconds; reject when `signal` aborts. */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), { once: true });
  });
}

/** The body of an answer. Raises a Problem when it breaks off, or is not what was asked for (a proxy's page). */
async function whole(body) {
  try {
    return await body;
  } catch (error) {
    throw error.name === "AbortError" ? error : unreachable();
  }
}

/** Why a token is asked for: there was none, or it never worked, or it did until now. */
export function reasonFor(used) {
  if (!used) return "needed";
  return identity.value ? "expired" : "refused";
}

/**
 * Send a request and return the Response, a successful one. `query` is an object, `body` is a FormData, or sent as JSON.
 * Waits and asks again when the server says that it is too busy (429) unless `waits` is false, and asks for a token when
 * one is needed.
 * Raises a Problem.
 */
export async function send(method, path, { query = {}, body, headers = {}, signal, waits = true } = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const address = kept.length ? `${path}?${new URLSearchParams(kept)}` : path;
  const isJson = body !== undefined && !(body instanceof FormData);
  for (let tries = 1; ; tries++) {
    const used = token.value;
    const response = await fetch(address, {
      method,
      signal,
      headers: { ...credentials(), ...(isJson ? { "Content-Type": "application/json" } : {}), ...headers },
      body: isJson ? JSON.stringify(body) : body,
    }).catch((error) => {
      throw error.name === "AbortError" ? error : unreachable();
    });
    if (response.ok) return response;
    const problem = problemOf(response.status, await whole(response.text()), (name) => response.headers.get(name));
    if (problem.status === 401 && tries < MOST_TRIES && (token.value !== used || (await askForToken(reasonFor(used)))))
      continue;
    if (problem.status !== 429 || !waits || tries >= MOST_TRIES) throw problem;
    await pause((problem.retryAfter ?? 1) + Math.random(), signal);
  }
}

/** Send a request and return the JSON of its answer. Raises a Problem. */
export async function call(method, path, options) {
  const response = await send(method, path, options);
  return whole(response.json());
}

/** The address of what the server names by a path of its own, relative to the page. */
export function local(url) {
  return url.replace(/^\/(?!\/)/, "");
}

export const taskPath = (id, rest = "") => `${API}/tasks/${encodeURIComponent(id)}${rest}`;
