// One task: where it stands, what came of it, what happened, what it said.
import { useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Failure } from "../failure.js";
import { nameOf } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { connection, mayBeOld } from "../live.js";
import { go, href, listAddress } from "../router.js";
import { announce } from "../say.js";
import { useShortcut } from "../shortcuts.js";
import { t } from "../words.js";
import { Actions } from "./actions.js";
import { Failed } from "./failure.js";
import { Files } from "./files.js";
import { Details, Head } from "./head.js";
import { Log } from "./log.js";
import { Progress } from "./progress.js";
import { Report, REPORT } from "./report.js";
import { Result } from "./result.js";
import { TaskStore } from "./store.js";
import { Attempts, Timeline } from "./timeline.js";
import { Why } from "./why.js";

/** All about the task of this id. */
export function View({ id, query }) {
  const store = useMemo(() => new TaskStore(id), [id]);
  useEffect(() => store.start(), [store]);
  useShortcut("u", "task.keys.back", () => go(listAddress()));
  useSignalEffect(() => {
    document.title = titleOf(store.task.value, store.state.value);
  });
  useEnd(store);
  return html`
    <p class="back"><a href=${listAddress()}><${Icon} name="left" />${t("task.back")}</a></p>
    <${Body} store=${store} showsReport=${query.show === "report"} />
  `;
}

function Body({ store, showsReport }) {
  switch (store.state.value) {
    case "loading":
      return html`<div class="awaited" aria-busy="true"><span class="unseen">${t("task.loading")}</span></div>`;
    case "missing":
    case "deleted":
      return html`<${Gone} store=${store} />`;
    case "failed":
      return html`
        <section class="card gone">
          <h1>${t("task.unloaded")}</h1>
          <${Failure} problem=${store.problem.value} onRetry=${() => store.load()} />
        </section>
      `;
  }
  return html`<${There} store=${store} showsReport=${showsReport} />`;
}

function There({ store, showsReport }) {
  const task = store.task.value;
  const hasReport = (store.artifacts.value ?? []).some(({ name }) => name === REPORT);
  const show = (isShown) => go(href(`tasks/${task.id}`, { show: isShown ? "report" : null }), { replace: !isShown });
  const isOld = mayBeOld();
  return html`
    <div class="task">
      <div class="top">
        <${Head} store=${store} />
        <div class="actions">
          ${hasReport && !showsReport && html`<button type="button" onClick=${() => show(true)}><${Icon} name="file" /> ${t("task.report.show")}</button>`}
          <${Actions} store=${store} />
        </div>
      </div>
      ${isOld && html`<p class="notice warn">${t(`connection.hint.${connection.value}`)}</p>`}
      ${store.problem.value && !isOld && html`<${Failure} problem=${store.problem.value} onRetry=${() => store.load()} />`}
      <${Why} why=${task.status === "pending" || task.status === "processing" ? store.why.value : null} />
      <${Progress} task=${task} />
      <${Failed} store=${store} />
      ${task.status === "cancelled" && html`<p class="notice">${t("task.cancelled")}</p>`}
      ${hasReport && showsReport && html`<${Report} task=${task} onClose=${() => show(false)} />`}
      <div class="halves">
        <div class="main">
          <${Result} store=${store} />
          <${Log} store=${store.log} name=${nameOf(task)} since=${task.uploaded_at} isLive=${!store.isFinished.value} />
        </div>
        <div class="side">
          <${Files} store=${store} />
          <${Timeline} store=${store} />
          <${Attempts} store=${store} />
          <${Details} store=${store} />
        </div>
      </div>
    </div>
  `;
}

/** There is no such task, or there is none any more. */
function Gone({ store }) {
  const title = useRef(null);
  const isDeleted = store.state.value === "deleted";
  useEffect(() => title.current.focus(), []);
  if (store.isLeaving) return html`<h1 ref=${title} tabindex="-1" class="unseen">${t("task.back")}</h1>`;
  const name = nameOf(store.task.value ?? { id: store.id });
  return html`
    <section class="card gone">
      <h1 ref=${title} tabindex="-1">${t(isDeleted ? "task.deleted" : "task.missing")}</h1>
      <p>${isDeleted ? t("task.deleted.body", { name }) : t("task.missing.body")}</p>
      <p><code>${store.id}</code></p>
      <a class="button" href=${listAddress()}>${t("task.back.all")}</a>
    </section>
  `;
}

function titleOf(task, state) {
  if (!task || state === "missing" || state === "deleted") return t("app.title");
  const name = `${task.file_name ?? t("task.nameless")} · ${t("app.title")}`;
  return task.status === "processing" ? `${task.progress}% · ${name}` : `${t(`status.${task.status}`)} · ${name}`;
}

/** Have it said aloud when the task begins or ends. */
function useEnd(store) {
  const last = useRef(null);
  useSignalEffect(() => {
    const status = store.task.value?.status ?? null;
    if (last.current !== null && status !== last.current) announce(t("task.said", { status: t(`status.${status}`) }));
    last.current = status;
  });
}
