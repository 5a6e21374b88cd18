// The options of a task beside those that its processor takes by default. Pure.
import { isSame } from "../uploads/reading.js";

/** The options that are not as they are by default; all but empty ones where the processor is not known. */
export function chosen(options, processor) {
  const fallbacks = new Map((processor?.shape.fields ?? []).map(({ name, fallback }) => [name, fallback ?? null]));
  return Object.fromEntries(
    Object.entries(options).filter(([name, value]) => !isSame(value, fallbacks.get(name) ?? null)),
  );
}

/** What a person would have put into the form of these options. */
export function draftsOf(shape, options) {
  const drafts = {};
  for (const { name, pointer, kind, fallback, fields } of shape.fields ?? []) {
    const value = options[name];
    if (value === undefined || value === null || isSame(value, fallback)) continue;
    if (kind === "group") Object.assign(drafts, { [pointer]: true }, draftsOf({ fields }, value));
    else if (kind === "boolean") drafts[pointer] = value;
    else
      drafts[pointer] =
        kind === "list" ? value.join("\n") : kind === "json" ? JSON.stringify(value, null, 1) : String(value);
  }
  return drafts;
}
