// The view of all tasks: uploads, what is asked for, and the list.
import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { mayWrite } from "../access.js";
import { Dialog } from "../dialog.js";
import { Failure } from "../failure.js";
import { listed, nameOf } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { mayBeOld } from "../live.js";
import { watchSize } from "../resizing.js";
import { announce } from "../say.js";
import { UploadPanel } from "../uploads/panel.js";
import { t } from "../words.js";
import { act } from "./acting.js";
import { ACTIONS, takes } from "./requests.js";
import { isNarrow, readFilter, writeFilter } from "./filter.js";
import { amount, Head } from "./head.js";
import { PriorityQuestion } from "./priority.js";
import { TaskList } from "./store.js";
import { Toolbar } from "./toolbar.js";
import { Rows } from "./window.js";
import { href } from "../router.js";

const TICK_MS = 15000;
const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), TICK_MS);

let kept = null; // the list that was looked at last, for whoever comes back to it

/** Uploads, and the tasks that the address asks for. */
export function View({ query }) {
  const { filter, unknown } = readFilter(query);
  const key = JSON.stringify(filter);
  const list = useMemo(() => (kept && JSON.stringify(kept.filter) === key ? kept : new TaskList(filter)), [key]);
  const [menu, openMenu] = useState(null);
  useEffect(() => {
    kept = list;
    return list.open();
  }, [list]);
  const shown = useShown(list);
  return html`
    <h1 class="unseen">${t("tasks.title")}</h1>
    <${UploadPanel} />
    <section class="list" aria-labelledby="list-title">
      <h2 id="list-title" class="unseen">${t("tasks.list")}</h2>
      ${unknown.length > 0 && html`<p class="notice" role="status">${t("tasks.unknown", { what: listed(unknown) })}</p>`}
      <${Toolbar} filter=${filter} faults=${faultsOf(list.problem.value)} />
      <${Body} list=${shown} isTurning=${shown !== list} onMenu=${openMenu} />
    </section>
    ${menu && html`<${Menu} list=${list} task=${menu} onClose=${() => openMenu(null)} />`}
    <${PriorityQuestion} />
  `;
}

// The list before is shown until the next has something, so that nothing flashes.
function useShown(list) {
  const last = useRef(list);
  const phase = list.phase.value;
  if (phase !== "loading") last.current = list;
  useEffect(() => {
    if (phase === "ready") announce(amount(list.rows));
  }, [list, phase]);
  return last.current;
}

function faultsOf(problem) {
  if (problem?.status !== 422) return {};
  return Object.fromEntries(problem.errors.map((fault) => [fault.pointer.split("/").at(-1), fault]));
}

function Body({ list, isTurning, onMenu }) {
  const head = useRef(null);
  const edge = () => head.current.offsetHeight + (document.querySelector("header.top")?.offsetHeight ?? 0);
  useStickyTop(head);
  list.drawn.value; // draw again when it changes
  const { length } = list.rows.ids;
  const phase = list.phase.value;
  return html`
    <div class="list-card ${isTurning ? "turning" : ""}" inert=${isTurning} aria-busy=${isTurning || phase === "loading" ? "true" : undefined}>
      <div class="list-head" ref=${head}><${Head} list=${list} /></div>
      ${phase === "loading" && html`<${Skeleton} />`}
      ${phase === "failed" && html`<div class="broken"><${Failure} problem=${list.problem.value} onRetry=${() => list.reload()} /></div>`}
      ${phase === "ready" && length === 0 && html`<${Empty} list=${list} />`}
      ${phase === "ready" && length > 0 && html`<${Rows} key=${JSON.stringify(list.filter)} list=${list} edge=${edge} now=${now.value} onMenu=${onMenu} isOld=${mayBeOld()} />`}
    </div>
  `;
}

// The line sticks below the frame's header, whose height depends on the width of the page.
function useStickyTop(head) {
  useEffect(() => {
    const header = document.querySelector("header.top");
    return watchSize(header, () => head.current && (head.current.style.top = `${header.offsetHeight}px`));
  }, []);
}

function Skeleton() {
  return html`<div class="skeleton" aria-hidden="true">${[0, 1, 2, 3, 4, 5].map((row) => html`<div key=${row} class="row hole"></div>`)}</div>`;
}

function Empty({ list }) {
  const { filter } = list;
  if (!isNarrow(filter))
    return html`<div class="empty">${mayWrite.value && html`<${Icon} name="upload" />`}<p>${t("tasks.empty")}</p>${mayWrite.value && html`<p class="quiet">${t("tasks.empty.next")}</p>`}</div>`;
  const { q } = filter;
  const starred = href("tasks", writeFilter({ ...filter, q: `*${q}` }));
  return html`
    <div class="empty">
      <p>${isNarrow(filter, "status") ? t("tasks.none") : t(`tasks.none.${filter.status}`)}</p>
      ${q && !q.startsWith("*") && html`<p class="quiet">${t("tasks.none.begins", { q })} <a href=${starred}>${t("tasks.none.inside")}</a></p>`}
      ${isNarrow(filter, "status") && html`<p><a href=${href("tasks")}>${t("tasks.clear")}</a></p>`}
    </div>
  `;
}

function Menu({ list, task, onClose }) {
  const choose = (action) => () => (onClose(), act(list, action, task));
  return html`
    <${Dialog} title=${nameOf(task)} name="menu" onClose=${onClose}>
      <div class="menu-list">
        ${ACTIONS.filter((action) => takes(action, task)).map(
          (action) =>
            html`<button key=${action} type="button" class=${action === "delete" ? "danger" : "secondary"} onClick=${choose(action)}>${t(`act.${action}`)}</button>`,
        )}
      </div>
    <//>
  `;
}
