// What the server takes and does: its limits, and the processors with the schemas of their options.
import { effect, signal } from "@preact/signals";
import { token } from "../access.js";
import { API, call } from "../api.js";
import { connection, versions } from "../live.js";
import { shapeOf } from "./schema.js";

/** `{meta, processors}`, null until the server has told; each processor has the `shape` of its options. */
export const catalogue = signal(null);

/** The Problem for which there is no catalogue, null without one. */
export const catalogueProblem = signal(null);

let loading = false;

/** Ask the server (again). */
export async function loadCatalogue() {
  if (loading) return;
  loading = true;
  try {
    const [meta, { processors }] = await Promise.all([call("GET", `${API}/meta`), call("GET", `${API}/processors`)]);
    const shaped = processors.map((processor) => ({ ...processor, shape: shapeOf(processor.options_schema) }));
    catalogue.value = { meta, processors: shaped };
    catalogueProblem.value = null;
  } catch (problem) {
    catalogueProblem.value = problem;
  } finally {
    loading = false;
  }
}

/** Begin: ask now, and whenever it may have become another one: the server is back, is a newer one, or the token is another. */
export function keepCatalogue() {
  let known = null;
  effect(() => {
    const wanted = `${versions.value.now} ${token.value}`;
    const isBack = connection.value === "live" && catalogue.peek() === null;
    if (wanted === known && !isBack) return;
    known = wanted;
    loadCatalogue();
  });
}
