// What a JSON schema (2020-12) of options asks for, as shapes that a form can draw. Pure.

const DEEPEST = 4;
const NONE = "null";

/**
 * The shape of a schema: `{kind, name, pointer, isNullable, isRequired, fallback, description, schema, ...}`.
 * `kind` is "text", "lines" (a long text), "number", "integer", "boolean", "choice" (with `choices`), "list" (with `items`),
 * "group" (with `fields`) or "json", which is whatever cannot be drawn. `fallback` is the default, undefined without one.
 */
export function shapeOf(
  schema,
  { root = schema, name = "", pointer = "", isRequired = false, fallback, depth = 0 } = {},
) {
  const { schema: plain, isNullable } = withoutNull(resolve(schema, root), root);
  const known = fallback === undefined ? plain.default : fallback;
  const shape = {
    name,
    pointer,
    isNullable,
    isRequired,
    fallback: known,
    title: plain.title ?? null,
    description: plain.description ?? "",
    schema: plain,
  };
  return { ...shape, ...drawn(plain, { root, pointer, fallback: known, depth }) };
}

function drawn(schema, context) {
  const choices = schema.enum ?? ("const" in schema ? [schema.const] : null);
  if (choices)
    return choices.every(isScalar)
      ? { kind: "choice", choices: choices.filter((value) => value !== null) }
      : { kind: "json" };
  switch (schema.type) {
    case "boolean":
    case "integer":
    case "number":
      return { kind: schema.type };
    case "string":
      return { kind: isLong(schema, context.fallback) ? "lines" : "text" };
    case "array":
      return list(schema, context);
    case "object":
      return group(schema, context);
    default:
      return { kind: "json" };
  }
}

const isScalar = (value) => value === null || typeof value !== "object";

/** A text of several lines: one that has them by default, or that begins empty and may be as long as one likes. */
function isLong(schema, fallback) {
  return (
    String(fallback ?? "").includes("\n") ||
    schema.contentMediaType !== undefined ||
    (fallback === "" && (schema.maxLength ?? Infinity) > 500)
  );
}

function list(schema, { root, depth }) {
  if (schema.prefixItems || !schema.items) return { kind: "json" };
  const items = shapeOf(schema.items, { root, depth: depth + 1 });
  return ["text", "number", "integer", "choice"].includes(items.kind) && !items.isNullable
    ? { kind: "list", items }
    : { kind: "json" };
}

function group(schema, { root, pointer, fallback, depth }) {
  const names = Object.keys(schema.properties ?? {});
  if ((!names.length && schema.additionalProperties !== false) || depth >= DEEPEST) return { kind: "json" };
  const fields = names.map((name) =>
    shapeOf(schema.properties[name], {
      root,
      name,
      pointer: `${pointer}/${name.replace(/~/g, "~0").replace(/\//g, "~1")}`,
      isRequired: (schema.required ?? []).includes(name),
      fallback: fallback && typeof fallback === "object" ? fallback[name] : undefined,
      depth: depth + 1,
    }),
  );
  return { kind: "group", fields };
}

/** Follow `$ref` within the schema, and take a single `allOf` for what it is. What stands beside them goes first. */
function resolve(schema, root, seen = 0) {
  if (typeof schema !== "object" || schema === null || seen > DEEPEST * 4) return {};
  const { $ref, allOf, ...beside } = schema;
  if (typeof $ref === "string") return { ...resolve(lookUp($ref, root), root, seen + 1), ...beside };
  if (allOf?.length === 1) return { ...resolve(allOf[0], root, seen + 1), ...beside };
  return schema;
}

function lookUp(reference, root) {
  if (!reference.startsWith("#")) return {};
  const steps = decodeURIComponent(reference.slice(1)).split("/").slice(1);
  return steps.reduce((inner, step) => inner?.[step.replace(/~1/g, "/").replace(/~0/g, "~")], root) ?? {};
}

/** Take "or null" out of a schema, in whichever of its ways it says so. */
function withoutNull(schema, root) {
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) {
    const kept = branches.map((branch) => resolve(branch, root)).filter(({ type }) => type !== NONE);
    const { anyOf, oneOf, ...beside } = schema;
    if (kept.length !== 1) return { schema: beside, isNullable: kept.length < branches.length };
    const inner = withoutNull(kept[0], root);
    return { schema: { ...inner.schema, ...beside }, isNullable: inner.isNullable || kept.length < branches.length };
  }
  if (schema.enum?.includes(null)) return { schema, isNullable: true };
  if (!Array.isArray(schema.type)) return { schema, isNullable: false };
  const types = schema.type.filter((type) => type !== NONE);
  return {
    schema: { ...schema, type: types.length === 1 ? types[0] : undefined },
    isNullable: types.length < schema.type.length,
  };
}
