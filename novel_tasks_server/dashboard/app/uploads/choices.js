// What the person wants done with the novels: the processor, its options, and when. Remembered in the browser.
import { computed, signal } from "@preact/signals";
import { recall, remember } from "../storage.js";
import { catalogue } from "./catalogue.js";
import { readOptions } from "./reading.js";

const PRIORITIES = { least: -32768, most: 32767 };

const chosenName = signal(recall("uploads.processor"));
const allDrafts = signal(recalledDrafts());

/** The priority and the time as they were put in; the time is for this visit only. */
export const priority = signal(recall("uploads.priority") ?? "");
export const runAt = signal("");

/** What the server found wrong with the last choices: pointers of the request to its faults. */
export const refusedFields = signal({});

function recalledDrafts() {
  try {
    const found = JSON.parse(recall("uploads.options") ?? "{}");
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

/** The chosen processor as the catalogue has it: the remembered one if there is one such, else the server's default. */
export const processor = computed(() => {
  const { processors = [], meta } = catalogue.value ?? {};
  const named = (name) => processors.find((one) => one.name === name);
  return named(chosenName.value) ?? named(meta?.default_processor) ?? processors[0] ?? null;
});

/** What was put into the form of the chosen processor, by pointer. */
export const drafts = computed(() => (processor.value && allDrafts.value[processor.value.name]) || {});

export function chooseProcessor(name) {
  chosenName.value = name;
  refusedFields.value = {};
  remember("uploads.processor", name);
}

/** Put `value` into the field at `pointer`; undefined brings its default back. */
export function setDraft(pointer, value) {
  const { [pointer]: _, ...others } = drafts.value;
  setDrafts(value === undefined ? others : { ...others, [pointer]: value });
  forgive(`/options${pointer}`);
}

/** All choices beside the processor as they are by default. */
export function resetAll() {
  setDrafts({});
  setPriority("");
  setRunAt("");
  refusedFields.value = {};
}

function setDrafts(made) {
  allDrafts.value = { ...allDrafts.value, [processor.value.name]: made };
  remember("uploads.options", JSON.stringify(allDrafts.value));
}

export function setPriority(text) {
  priority.value = text;
  remember("uploads.priority", text || null);
  forgive("/priority");
}

export function setRunAt(text) {
  runAt.value = text;
  forgive("/run_at");
}

function forgive(pointer) {
  const isLeft = (name) => name !== pointer && !name.startsWith(`${pointer}/`) && name !== "/options";
  const others = Object.entries(refusedFields.value).filter(([name]) => isLeft(name));
  refusedFields.value = Object.fromEntries(others);
}

const reading = computed(() =>
  processor.value ? readOptions(processor.value.shape, drafts.value) : { options: {}, faults: new Map() },
);

/** The options that differ from their defaults. */
export const options = computed(() => reading.value.options);

/** What is wrong with the form, by pointer within the options. */
export const faults = computed(() => reading.value.faults);

/** What is wrong with the priority, null when nothing is. */
export const priorityFault = computed(() => {
  const value = Number(priority.value);
  if (!Number.isInteger(value)) return { key: "form.integer" };
  if (value < PRIORITIES.least) return { key: "form.minimum", limit: PRIORITIES.least };
  return value > PRIORITIES.most ? { key: "form.maximum", limit: PRIORITIES.most } : null;
});

/** How many choices beside the processor are not the usual ones. */
export const changed = computed(
  () => Object.keys(options.value).length + (Number(priority.value) ? 1 : 0) + (runAt.value ? 1 : 0),
);

/** The fields to send with a file, null while something is wrong with them or they are not known yet. */
export const fields = computed(() => {
  if (!processor.value || faults.value.size || priorityFault.value || Object.keys(refusedFields.value).length)
    return null;
  const made = { processor: processor.value.name };
  if (Object.keys(options.value).length) made.options = JSON.stringify(options.value);
  if (Number(priority.value)) made.priority = String(Number(priority.value));
  if (runAt.value) made.run_at = new Date(runAt.value).toISOString();
  return made;
});
