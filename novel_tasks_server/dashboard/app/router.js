// Where the page is: what stands behind the # of its address. So filters can be sent to others, and Back works.
import { computed, effect, signal } from "@preact/signals";

const VIEWS = ["tasks", "task", "queue", "system"];

function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, id = null] = path.split("/");
  const parameters = Object.fromEntries(new URLSearchParams(query));
  if (name === "tasks" && id) return { view: "task", id: decode(id), query: parameters };
  return { view: VIEWS.includes(name) && name !== "task" ? name : "tasks", id: null, query: parameters };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no id, which the view will say
  }
}

/** `{view, id, query}`: view is "tasks", "task" (with its id), "queue" or "system"; query an object of texts. */
export const route = signal(read());

export const view = computed(() => route.value.view);

addEventListener("hashchange", () => (route.value = read()));

/** The address of a view within the page, for links. Empty and null parameters are left out. */
export function href(path, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(kept).toString();
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** Go to an address made by `href`; with `replace`, Back does not return to the one before. */
export function go(address, { replace = false } = {}) {
  if (address === location.hash) return;
  if (!replace) {
    location.hash = address;
    return;
  }
  history.replaceState(null, "", address);
  route.value = read();
}

let query = {};

effect(() => {
  if (route.value.view === "tasks") query = route.value.query;
});

/** The address of the list with the filters that were in use last. */
export const listAddress = () => href("tasks", query);
