// One WebSocket for the whole page (docs/websocket.md): what is followed is followed again after every break, from
// the last event that was seen on. Where no socket can be had, the same is asked for every few seconds.
import { signal } from "@preact/signals";
import { askForToken, given, identity, token } from "./access.js";
import { API, call, taskPath } from "./api.js";

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 15000;
const POLL_MS = 3000;
const TRIES_BEFORE_POLLING = 2;
const PING_MS = 20000;
const PATIENCE_MS = 8000;

/**
 * "connecting", "live", "reconnecting", "polling" (the network lets no socket through), "offline", or "locked" (the
 * server wants a token and there is none).
 */
export const connection = signal("connecting");

/** Whether what is shown may be old, since the connection is lost. */
export const mayBeOld = () => connection.value === "reconnecting" || connection.value === "offline";

/** The version of the server when the page was loaded, and now; different ones mean that it was upgraded. */
export const versions = signal({ first: null, now: null });

const followers = new Map();
let socket = null;
let isOpen = false;
let isGreeted = false;
let failures = 0;
let timer = null;
let poller = null;
let isPolling = false;
let pulse = null;

/**
 * Follow a task. `handler` gets the messages `snapshot`, `event`, `log`, `progress`, `deleted` and `error`, without gap
 * or repeat. `logs` is the least level of log entries. Returns a function that ends it.
 */
export function followTask(id, handler, { logs = "debug" } = {}) {
  return follow(`task ${id}`, { task_id: id, logs }, handler, pollTask);
}

/**
 * Follow all tasks that match `filter` (`status`, `processor`, `owner`, `q`). `handler` gets `task`, `left`, `deleted`, and
 * `resync` when the list has to be loaded again. One such filter at a time can be told apart.
 */
export function followList(filter, handler) {
  const kept = Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
  const wish = Object.keys(kept).length ? { filter: kept } : { task_id: "*" };
  return follow(`list ${JSON.stringify(kept)}`, wish, handler, (entry) => tell(entry, { type: "resync" }));
}

/** Follow the counts. `handler` gets `stats`. */
export function followStatistics(handler) {
  return follow("stats", { stats: true }, handler, async (entry) => {
    tell(entry, { type: "stats", statistics: await call("GET", `${API}/tasks/statistics`) });
  });
}

function follow(key, wish, handler, poll) {
  let entry = followers.get(key);
  if (!entry) {
    entry = { key, wish, poll, handlers: new Set(), seq: null };
    followers.set(key, entry);
  }
  entry.handlers.add(handler);
  entry.seq = null; // whoever comes later needs the whole state too
  if (isOpen) subscribe(entry);
  else if (isPolling) pollAll();
  return () => {
    entry.handlers.delete(handler);
    if (entry.handlers.size || followers.get(key) !== entry) return;
    followers.delete(key);
    const { logs, ...named } = entry.wish;
    if (isOpen) socket.send(JSON.stringify({ type: "unsubscribe", ...named }));
  };
}

function subscribe(entry) {
  const after = entry.seq === null ? {} : { after_seq: entry.seq };
  socket.send(JSON.stringify({ type: "subscribe", ...entry.wish, ...after }));
}

function tell(entry, message) {
  for (const handler of [...entry.handlers]) handler(message);
}

function hear(message) {
  switch (message.type) {
    case "hello":
      isGreeted = true;
      stopPolling();
      connection.value = "live";
      identity.value = { owner: message.owner, scopes: message.scopes };
      versions.value = { first: versions.value.first ?? message.server_version, now: message.server_version };
      return;
    case "stats":
      if (followers.has("stats")) tell(followers.get("stats"), message);
      return;
    case "task":
    case "left":
    case "resync":
      tellLists(message);
      return;
    case "deleted":
      tellLists(message);
      break;
    case "subscribed":
    case "unsubscribed":
    case "pong":
      return;
  }
  const entry = followers.get(`task ${message.task_id}`);
  if (!entry) return;
  if (message.seq) entry.seq = Math.max(entry.seq ?? 0, message.seq);
  tell(entry, message);
}

function tellLists(message) {
  for (const entry of [...followers.values()]) if (entry.key.startsWith("list ")) tell(entry, message);
}

function connect() {
  clearTimeout(timer);
  timer = null;
  if (socket) return;
  const address = new URL(`${API}/ws/tasks/page`, document.baseURI.split("#")[0]);
  address.protocol = address.protocol.replace("http", "ws");
  const mine = new WebSocket(address, ["novel-tasks.v1", ...(token.value ? [`bearer.${token.value}`] : [])]);
  socket = mine;
  isGreeted = false;
  expectSignOfLife(mine);
  mine.onopen = () => {
    if (socket !== mine) return;
    isOpen = true;
    for (const entry of followers.values()) subscribe(entry);
  };
  mine.onmessage = ({ data }) => {
    if (socket !== mine) return;
    failures = 0;
    clearTimeout(pulse);
    pulse = setTimeout(() => ask(mine), PING_MS);
    hear(JSON.parse(data));
  };
  mine.onclose = ({ code }) => lose(mine, code);
}

function lose(mine, code) {
  if (socket !== mine) return;
  clearTimeout(pulse);
  socket = null;
  isOpen = false;
  closed(code);
}

/** A line that is cut somewhere in between looks open for minutes: ask, and give up what does not answer. */
function ask(mine) {
  if (socket !== mine || !isOpen) return;
  mine.send('{"type":"ping"}');
  expectSignOfLife(mine);
}

function expectSignOfLife(mine) {
  clearTimeout(pulse);
  pulse = setTimeout(() => {
    mine.close();
    lose(mine, 0);
  }, PATIENCE_MS);
}

async function closed(code) {
  failures += 1;
  if (!isPolling) connection.value = navigator.onLine ? "reconnecting" : "offline";
  if (code === 4401 || code === 4403) {
    await askForToken("expired");
  } else if (!isGreeted) {
    await lookWhy();
  }
  if (socket || timer || connection.value === "locked") return;
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures * (code === 4429 ? 4 : 1));
  timer = setTimeout(connect, longest * (0.5 + Math.random() / 2));
}

/** What fails before the server has spoken does not say why: ask by HTTP, which may need a token, or work without sockets. */
async function lookWhy() {
  try {
    await call("GET", `${API}/tasks/statistics`);
    const { owner, scopes } = await call("GET", `${API}/meta`);
    if (scopes) identity.value = { owner, scopes };
    if (failures >= TRIES_BEFORE_POLLING) startPolling();
  } catch (problem) {
    stopPolling();
    if (problem.status === 401) connection.value = "locked";
    else connection.value = problem.status === 0 && !navigator.onLine ? "offline" : "reconnecting";
  }
}

function startPolling() {
  if (isOpen) return;
  connection.value = "polling";
  if (isPolling) return;
  isPolling = true;
  pollAll();
}

function stopPolling() {
  isPolling = false;
  clearTimeout(poller);
  poller = null;
}

async function pollAll() {
  clearTimeout(poller);
  try {
    if (!document.hidden) for (const entry of [...followers.values()]) await entry.poll(entry);
  } catch {
    // The next attempt to connect finds out what is wrong, and says so.
  }
  if (isPolling) poller = setTimeout(pollAll, POLL_MS);
}

async function pollTask(entry) {
  const id = entry.wish.task_id;
  try {
    if (entry.seq !== null) {
      const { events, last_seq } = await call("GET", taskPath(id, "/events"), { query: { after: entry.seq } });
      for (const event of events) tell(entry, { type: event.kind === "log" ? "log" : "event", task_id: id, ...event });
      entry.seq = Math.max(entry.seq, last_seq);
    }
    const task = await call("GET", taskPath(id));
    entry.seq ??= task.last_seq;
    tell(entry, { type: "snapshot", task_id: id, seq: task.last_seq, task });
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    tell(entry, { type: "deleted", task_id: id });
  }
}

/** Connect now, whatever was waited for: the network is back, the person is back, or they have another token. */
export function reconnect() {
  failures = 0;
  if (isOpen) ask(socket);
  else if (!socket) connect();
}

/** Begin. */
export function start() {
  addEventListener("online", reconnect);
  addEventListener("offline", () => {
    if (!isOpen) connection.value = "offline";
  });
  document.addEventListener("visibilitychange", () => document.hidden || reconnect());
  given.subscribe(() => {
    const old = socket;
    socket = null;
    isOpen = false;
    old?.close(1000);
    connection.value = "connecting";
    reconnect();
  });
}
