// The way to what came of a task, as far as the list tells: the report, the book, or what an outside service names.
import { API, call, local, taskPath } from "../api.js";
import { token } from "../access.js";
import { say } from "../say.js";

const FILES = { analyze: ["report", "report.html"], epub: ["book", "novel.epub"] };

/** `{words, icon, url, file}` for a completed task with something to look at; `file` is what a link is asked for. Else null. */
export function resultOf(task) {
  if (task.status !== "completed") return null;
  const [words, name] = FILES[task.processor] ?? [];
  if (name) {
    const file = `artifacts/${name}`;
    return { words, icon: words === "book" ? "download" : "file", url: taskPath(task.id, `/${file}`), file };
  }
  const url = task.result_url;
  if (!url || url.startsWith(`/${API}/`) || !/^(https?:\/\/|(?![a-z][a-z0-9+.-]*:|\/\/))/i.test(url)) return null;
  return { words: "result", icon: "open", url: local(url), file: null };
}

/** Follow the link of a result. With a token the browser cannot fetch a file by itself: it is given a signed link. */
export async function openResult(event, task, { file }) {
  if (!file || !token.value) return;
  event.preventDefault();
  const isShown = file.endsWith(".html");
  const page = isShown ? open("about:blank") : null;
  try {
    const { url } = await call("POST", taskPath(task.id, "/links"), { body: { file } });
    const address = new URL(local(url), document.baseURI.split("#")[0]).href;
    if (page) page.opener = null;
    (page ?? window).location.href = address;
  } catch (problem) {
    page?.close();
    if (problem.name !== "Problem") throw problem;
    say(problem.text, { kind: "bad" });
  }
}
