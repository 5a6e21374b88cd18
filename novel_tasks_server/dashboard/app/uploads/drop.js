// Files from anywhere: dropped on the window, pasted, or chosen; and the veil that says that they may be let go.
import { effect, signal } from "@preact/signals";
import { mayWrite } from "../access.js";
import { listed } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { announce, say } from "../say.js";
import { go, href } from "../router.js";
import { t } from "../words.js";
import { catalogue, keepCatalogue } from "./catalogue.js";
import { processor } from "./choices.js";
import { bringsFiles, droppedFiles, novelsAmong } from "./files.js";
import { add, isBusy, startQueue, summary } from "./queue.js";
import { settledText } from "./texts.js";
import { tryOn } from "./trial.js";

const isOver = signal(false);

/** Take files in, wherever they come from: `[{file, path, isInFolder}]`. */
export function take(given) {
  if (!mayWrite.value) {
    say(t("uploads.forbidden"), { kind: "bad" });
    return;
  }
  const { kept, left } = catalogue.value ? novelsAmong(given, catalogue.value.meta) : { kept: given, left: 0 };
  if (left)
    say(
      t(kept.length ? "uploads.left" : "uploads.left.all", {
        n: left,
        allowed: listed(catalogue.value.meta.allowed_extensions),
      }),
    );
  if (!kept.length) return;
  add(kept);
  tell(t("uploads.begun", { n: kept.length }));
}

/** Take the files of a file field, and empty it, so that the same can be chosen again. */
export function takeChosen(event) {
  take(
    [...event.target.files].map((file) => ({ file, path: file.webkitRelativePath || file.name, isInFolder: false })),
  );
  event.target.value = "";
}

/** Say what happens to the uploads to those who do not see them. */
function tell(text) {
  const panel = document.getElementById("uploads");
  if (panel && panel.getBoundingClientRect().bottom > 80) announce(text);
  else say(text, { action: { label: t("uploads.show"), run: show } });
}

function show() {
  if (!document.getElementById("uploads")) go(href("tasks"));
  requestAnimationFrame(() => scrollTo({ top: 0 }));
}

function drag(event) {
  if (!bringsFiles(event.dataTransfer)) return;
  event.preventDefault();
  const isAsked = document.querySelector("dialog[open]") !== null;
  event.dataTransfer.dropEffect = isAsked ? "none" : "copy";
  isOver.value = !isAsked;
}

function leave(event) {
  if (event.relatedTarget === null) isOver.value = false;
}

async function drop(event) {
  isOver.value = false;
  if (!bringsFiles(event.dataTransfer)) return;
  event.preventDefault();
  if (document.querySelector("dialog[open]")) return;
  const isSample = event.target instanceof Element && event.target.closest("[data-takes=sample]") !== null;
  const given = await droppedFiles(event.dataTransfer);
  if (isSample && given.length === 1) tryOn(given[0].file);
  else take(given);
}

function paste(event) {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  take(files.map((file) => ({ file, path: file.name, isInFolder: false })));
}

/** Begin: listen to the whole window, and send what comes. */
export function startUploads() {
  for (const kind of ["dragenter", "dragover"]) addEventListener(kind, drag);
  addEventListener("dragleave", leave);
  addEventListener("drop", drop);
  addEventListener("paste", paste);
  keepCatalogue();
  startQueue();
  let wasBusy = false;
  effect(() => {
    if (wasBusy && !isBusy.value) tell(settledText(summary.peek()));
    wasBusy = isBusy.value;
  });
}

/** Lies over the window while files are held above it. */
export function DropVeil() {
  if (!isOver.value) return null;
  const words = mayWrite.value ? t("uploads.drop", { processor: processor.value?.name ?? "" }) : t("uploads.forbidden");
  return html`<div class="veil" aria-hidden="true"><p><${Icon} name="upload" /> ${words}</p></div>`;
}
