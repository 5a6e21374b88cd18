// Files as people give them: chosen, pasted, dropped, or in dropped folders; and whether the server takes them.

/** The extension as the server reads it: in lower case with its dot, "" without one. */
export function extensionOf(name) {
  const at = name.lastIndexOf(".");
  return at > 0 ? name.slice(at).toLowerCase() : "";
}

/**
 * Why the server would not take this file: `{key, ...}`, the words and what they are filled with; null when it would.
 * `meta` is the answer of `GET /api/v1/meta`.
 */
export function refusalOf(file, meta) {
  const allowed = meta.allowed_extensions;
  if (!allowed.includes(extensionOf(file.name)))
    return { key: "uploads.refused.extension", allowed };
  if (file.size === 0) return { key: "uploads.refused.empty" };
  if (file.size > meta.limits.max_file_size)
    return { key: "uploads.refused.size", bytes: file.size, limit: meta.limits.max_file_size };
  return null;
}

/** Whether a drag brings files, and not a piece of a page. */
export function bringsFiles(transfer) {
  return [...(transfer?.types ?? [])].includes("Files");
}

/**
 * What was dropped: `[{file, path, isInFolder}]`, folders read to the bottom. To be called while the drop is handled:
 * afterwards the browser forgets what it was.
 */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (!entries.some((entry) => entry?.isDirectory))
    return [...transfer.files].map((file) => ({ file, path: file.name, isInFolder: false }));
  const found = [];
  for (const entry of entries) if (entry) await collect(entry, found);
  return found;
}

async function collect(entry, found) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    if (file) found.push({ file, path, isInFolder: path.includes("/") });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) return;
    for (const inner of some.sort((one, other) => one.name.localeCompare(other.name))) await collect(inner, found);
  }
}

/** Those of a folder that are no novels are left out without a word for each: `{kept, left}`. */
export function novelsAmong(given, meta) {
  const isKept = ({ file, isInFolder }) => !isInFolder || meta.allowed_extensions.includes(extensionOf(file.name));
  const kept = given.filter(isKept);
  return { kept, left: given.length - kept.length };
}

/** Whether the file is still there, as it was when it was given. */
export async function isReadable(file) {
  try {
    await file.slice(Math.max(0, file.size - 1)).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
