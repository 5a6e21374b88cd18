// What the list is asked for: read from the page's address, written to it, and told to the server. Pure.

export const STATUSES = ["pending", "processing", "completed", "failed", "cancelled"];

/** Whether a task of this status has ended. */
export const isFinal = (status) => status === "completed" || status === "failed" || status === "cancelled";

export const SORTS = ["uploaded_at", "file_name", "status", "priority"];

const DAY = /^\d{4}-\d\d-\d\d$/;
const isMoment = (text) => (DAY.test(text) || text.includes("T")) && !Number.isNaN(Date.parse(text));
const isShort = (text) => text.length <= 200;
const TESTS = {
  status: (text) => STATUSES.includes(text),
  q: (text) => text.length <= 255,
  processor: isShort,
  owner: isShort,
  created_after: isMoment,
  created_before: isMoment,
  sort_by: (text) => SORTS.includes(text),
  order: (text) => text === "asc" || text === "desc",
};

/** What is asked for when the address says nothing. */
export const EVERYTHING = {
  status: "",
  q: "",
  processor: "",
  owner: "",
  created_after: "",
  created_before: "",
  sort_by: "uploaded_at",
  order: "desc",
};

/** Read the parameters of the address: `{filter, unknown}`; what nobody knows is named in `unknown` as `name=value`. */
export function readFilter(query) {
  const filter = { ...EVERYTHING };
  const unknown = [];
  for (const [name, value] of Object.entries(query)) {
    if (value === "") continue;
    if (Object.hasOwn(TESTS, name) && TESTS[name](value)) filter[name] = value;
    else unknown.push(`${name}=${value}`);
  }
  return { filter, unknown };
}

/** The parameters of the address for a filter, without what goes without saying. */
export function writeFilter(filter) {
  return Object.fromEntries(Object.entries(filter).filter(([name, value]) => value !== EVERYTHING[name]));
}

/** Whether it leaves tasks out; `but` names a condition that does not count. */
export function isNarrow(filter, but = null) {
  return Object.keys(filter).some(
    (name) => name !== but && name !== "sort_by" && name !== "order" && filter[name] !== "",
  );
}

/** Whether the list is in the order of the ids, in which one can go on from any task. */
export function isById(filter) {
  return filter.sort_by === "uploaded_at";
}

// A day in the address is a day where the person is; both days belong to what is found.
function instant(text, days) {
  if (!DAY.test(text)) return text;
  const [year, month, day] = text.split("-").map(Number);
  return new Date(year, month - 1, day + days).toISOString();
}

/** The conditions as the server takes them, in queries and in the body of a change of many. */
export function conditions(filter) {
  const { status, q, processor, owner } = filter;
  const bounds = {
    created_after: filter.created_after && instant(filter.created_after, 0),
    created_before: filter.created_before && instant(filter.created_before, 1),
  };
  return Object.fromEntries(Object.entries({ status, q, processor, owner, ...bounds }).filter(([, value]) => value));
}

/** The part of it that can be followed live. */
export function followed({ status, q, processor, owner }) {
  return { status, q, processor, owner };
}

/** Whether a task that was told live is to be in the list; what `q` says the server has looked at. */
export function matcherOf(filter) {
  const { status, processor, owner, created_after: after, created_before: before } = conditions(filter);
  return (task) =>
    (!status || task.status === status) &&
    (!processor || task.processor === processor) &&
    (!owner || task.owner === owner) &&
    (!after || Date.parse(task.uploaded_at) >= Date.parse(after)) &&
    (!before || Date.parse(task.uploaded_at) < Date.parse(before));
}
