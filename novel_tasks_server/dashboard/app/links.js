// The files of a task, and what outside services name. The browser fetches files by links that are signed for a few
// minutes, since it can send no token with them.
import { API, call, local, problemOf, taskPath, unreachable } from "./api.js";
import { say } from "./say.js";
import { sayProblem } from "./told.js";
import { t } from "./words.js";

/** The name of an artifact among the files of a task. */
export const artifact = (name) => `artifacts/${name}`;

/** An address of this file for a few minutes, relative to the page. Raises a Problem, also when the file itself is gone. */
export async function linkTo(id, file) {
  const { url } = await call("POST", taskPath(id, "/links"), { body: { file } });
  await probe(local(url));
  return local(url);
}

async function probe(address) {
  let response, body;
  try {
    response = await fetch(address, { headers: { Range: "bytes=0-0" } });
    body = await response.text();
  } catch {
    throw unreachable();
  }
  if (!response.ok && response.status !== 416)
    throw problemOf(response.status, body, (name) => response.headers.get(name));
}

/** Have the browser download a file. */
export async function download(id, file) {
  try {
    const anchor = document.createElement("a");
    anchor.href = `${await linkTo(id, file)}&download=1`;
    anchor.download = "";
    anchor.click();
  } catch (problem) {
    tell(problem);
  }
}

/** Show a file in a tab of its own, which is opened at once, since browsers allow it only while a click is fresh. */
export async function openInTab(id, file) {
  const tab = open("", "_blank");
  if (!tab) {
    say(t("links.blocked"), { kind: "bad" });
    return;
  }
  try {
    const link = await linkTo(id, file);
    tab.opener = null;
    tab.location.replace(new URL(link, document.baseURI.split("#")[0]).href);
  } catch (problem) {
    tab.close();
    tell(problem);
  }
}

function tell(problem) {
  if (problem.name !== "Problem") throw problem;
  sayProblem(problem);
}

const REACHABLE = /^(?:https?:\/\/[^/\\\s]|(?![a-z][a-z0-9+.-]*:|\/\/)[^\s\\]+$)/i;

/** The address that an outside service gave for its result, if a link to it leads to a page outside of the API; else null. */
export function outsideAddress(url) {
  return url && !url.startsWith(`/${API}/`) && REACHABLE.test(url) ? local(url) : null;
}
