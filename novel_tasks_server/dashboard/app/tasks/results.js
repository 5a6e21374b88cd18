// The way to what came of a task, as far as the list tells: the report, the book, or what an outside service names.
import { taskPath } from "../api.js";
import { artifact, download, openInTab, outsideAddress } from "../links.js";

const FILES = { analyze: ["report", "report.html"], epub: ["book", "novel.epub"] };

/** `{words, icon, url, file}` for a completed task with something to look at; `file` is what a link is asked for. Else null. */
export function resultOf(task) {
  if (task.status !== "completed") return null;
  const [words, name] = FILES[task.processor] ?? [];
  if (name) {
    const file = artifact(name);
    return { words, icon: words === "book" ? "download" : "file", url: taskPath(task.id, `/${file}`), file };
  }
  const url = outsideAddress(task.result_url);
  return url && { words: "result", icon: "open", url, file: null };
}

/** Follow the link of a result: our own files by a signed link, for which the browser needs no token. */
export function openResult(event, task, { file }) {
  if (!file) return;
  event.preventDefault();
  return (file.endsWith(".html") ? openInTab : download)(task.id, file);
}
