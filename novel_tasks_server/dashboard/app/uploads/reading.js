// From what a person has put into a form to the options that are sent, and what is wrong with it. Pure.
//
// `drafts` maps the pointer of a field to what was put in: a text, a boolean, or a list. Where there is none the default
// holds, and options that are equal to their defaults are not sent. A fault is `{key, ...}`: the key of its words.

const MISSING = Symbol("missing");

/** `{options, faults}`: `options` differ from the defaults; `faults` maps pointers to faults. */
export function readOptions(shape, drafts) {
  const faults = new Map();
  const value = read(shape, drafts, faults);
  return {
    options: value === MISSING || value === null ? {} : shape.kind === "group" ? changes(shape, value) : value,
    faults,
  };
}

/** The options of a form as a whole are an object of what was changed; groups within are sent whole. */
function changes(shape, value) {
  const kept = shape.fields.filter(({ name, fallback }) => name in value && !isSame(value[name], fallback));
  return Object.fromEntries(kept.map(({ name }) => [name, value[name]]));
}

function read(shape, drafts, faults) {
  if (shape.kind === "group") return readGroup(shape, drafts, faults);
  const draft = drafts[shape.pointer];
  if (draft === undefined || isEmptied(shape, draft)) return absent(shape, draft, faults);
  const { value, fault } = parse(shape, draft);
  const wrong = fault ?? faultOf(shape, value);
  if (wrong) faults.set(shape.pointer, wrong);
  return value;
}

/** Whether a group may be left out as a whole. */
export function isOptional({ kind, pointer, isNullable, isRequired, fallback }) {
  return kind === "group" && pointer !== "" && (isNullable || (!isRequired && fallback === undefined));
}

/** Whether a group is there. */
export function isThere(shape, drafts) {
  return drafts[shape.pointer] ?? (!isOptional(shape) || (shape.fallback ?? null) !== null);
}

function readGroup(shape, drafts, faults) {
  if (!isThere(shape, drafts)) return shape.fallback === undefined && !shape.isRequired ? MISSING : null;
  const members = shape.fields.map((field) => [field.name, read(field, drafts, faults)]);
  return Object.fromEntries(members.filter(([, value]) => value !== MISSING));
}

/** Whether a field that takes no empty text was emptied: then it has no value, or its default one. */
function isEmptied(shape, draft) {
  return draft === "" && (shape.isNullable || !["text", "lines"].includes(shape.kind) || shape.isRequired);
}

function absent(shape, draft, faults) {
  if (draft === "" && shape.isNullable) return shape.fallback === undefined && !shape.isRequired ? MISSING : null;
  if (shape.fallback !== undefined) return shape.fallback;
  if (!shape.isRequired) return MISSING;
  if (shape.kind === "boolean") return false; // a box that was left alone says no
  faults.set(shape.pointer, { key: "form.required" });
  return MISSING;
}

function parse(shape, draft) {
  switch (shape.kind) {
    case "integer":
    case "number":
      return parseNumber(shape.kind, draft);
    case "choice":
      return { value: shape.choices.find((choice) => String(choice) === String(draft)) };
    case "boolean":
      return { value: draft === true || draft === "true" };
    case "list":
      return parseList(shape, draft);
    case "json":
      return parseJson(draft);
    default:
      return { value: draft };
  }
}

function parseNumber(kind, draft) {
  const value = Number(String(draft).trim());
  if (!Number.isFinite(value)) return { value, fault: { key: "form.number" } };
  return kind === "integer" && !Number.isInteger(value) ? { value, fault: { key: "form.integer" } } : { value };
}

/** One item a line; lines of nothing but white space are left out. */
function parseList({ items }, draft) {
  const rows = (Array.isArray(draft) ? draft : draft.split("\n")).map((row) => String(row).trim()).filter(Boolean);
  const parsed = rows.map((row) => parse(items, row));
  const at = parsed.findIndex(({ value, fault }) => fault ?? faultOf(items, value));
  const value = parsed.map((one) => one.value);
  if (at < 0) return { value };
  return { value, fault: { key: "form.line", n: at + 1, inner: parsed[at].fault ?? faultOf(items, parsed[at].value) } };
}

function parseJson(draft) {
  try {
    return { value: JSON.parse(draft) };
  } catch (error) {
    return { value: null, fault: { key: "form.json", reason: error.message } };
  }
}

/** What is wrong with a value, null when nothing is that can be told here; the server has the last word. */
export function faultOf({ kind, schema }, value) {
  if (kind === "choice") return value === undefined ? { key: "form.choice" } : null;
  if (typeof value === "number") return boundFault(schema, value);
  if (typeof value === "string") return textFault(schema, value);
  if (kind === "list") return listFault(schema, value);
  return kind === "json" &&
    schema.type === "object" &&
    (typeof value !== "object" || value === null || Array.isArray(value))
    ? { key: "form.object" }
    : null;
}

function boundFault({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }, value) {
  if (value < minimum) return { key: "form.minimum", limit: minimum };
  if (value > maximum) return { key: "form.maximum", limit: maximum };
  if (value <= exclusiveMinimum) return { key: "form.above", limit: exclusiveMinimum };
  if (value >= exclusiveMaximum) return { key: "form.below", limit: exclusiveMaximum };
  if (multipleOf && Math.abs(value / multipleOf - Math.round(value / multipleOf)) > 1e-9)
    return { key: "form.multiple", limit: multipleOf };
  return null;
}

function textFault({ minLength, maxLength, pattern }, value) {
  const { length } = [...value];
  if (length < minLength) return { key: "form.short", n: minLength };
  if (length > maxLength) return { key: "form.long", n: maxLength };
  return pattern && !matches(pattern, value) ? { key: "form.pattern", pattern } : null;
}

/** Patterns are the server's (Python's): one that the browser does not know is left to the server. */
function matches(pattern, value) {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}

function listFault({ minItems, maxItems, uniqueItems }, value) {
  if (value.length < minItems) return { key: "form.few", n: minItems };
  if (value.length > maxItems) return { key: "form.many", n: maxItems };
  return uniqueItems && new Set(value).size < value.length ? { key: "form.twice" } : null;
}

/** Whether two JSON values are the same, in whatever order their members come. */
export function isSame(one, other) {
  if (one === other) return true;
  if (
    typeof one !== "object" ||
    typeof other !== "object" ||
    !one ||
    !other ||
    Array.isArray(one) !== Array.isArray(other)
  )
    return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length && names.every((name) => name in other && isSame(one[name], other[name]))
  );
}
