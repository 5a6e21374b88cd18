// The line above the rows, which stays in sight: how many there are, or what is chosen and what can be done to it.
import { useEffect, useRef } from "preact/hooks";
import { mayWrite } from "../access.js";
import { Failure } from "../failure.js";
import { number } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { mayBeOld } from "../live.js";
import { useShortcut } from "../shortcuts.js";
import { t } from "../words.js";
import { actOnChosen, running } from "./acting.js";
import { isNarrow } from "./filter.js";
import { COUNTED } from "./pages.js";

const ACTIONS = [
  ["retry", "retry"],
  ["cancel", "stop"],
  ["reprioritize", "up"],
  ["delete", "trash"],
];

/** How many tasks there are, in words that say whether that is exact. */
export function amount({ total, isEstimate }) {
  if (!isEstimate) return t("tasks.total", { n: total });
  return total === COUNTED + 1 ? t("tasks.total.more", { n: COUNTED }) : t("tasks.total.about", { n: total });
}

/** The line of a list. */
export function Head({ list }) {
  list.drawn.value; // its rows are no signal
  const { selection, rows } = list;
  return html`
    ${
      running.value
        ? html`<${Running} />`
        : html`<${All} list=${list} />${selection.isEmpty ? html`<${Count} list=${list} />` : html`<${Chosen} list=${list} />`}`
    }
    ${
      rows.waiting > 0 &&
      html`<button type="button" class="small arrived" onClick=${() => (list.showNew(), scrollTo({ top: 0 }))}><${Icon} name="up" /> ${t("tasks.arrived", { n: rows.waiting })}</button>`
    }
    ${list.phase.value === "ready" && list.problem.value && !mayBeOld() && html`<${Failure} problem=${list.problem.value} onRetry=${() => list.reload()} isOld=${true} />`}
  `;
}

function All({ list }) {
  list.drawn.value; // draw again when it changes
  const { selection, rows } = list;
  const box = useRef(null);
  const isWhole =
    selection.isAll.value || (selection.some.value.size > 0 && selection.some.value.size >= rows.tasks.size);
  useEffect(() => void (box.current.indeterminate = !selection.isEmpty && !isWhole));
  const change = (event) => {
    if (selection.isEmpty) selection.takeLoaded(rows);
    else selection.clear();
    event.currentTarget.checked = !selection.isEmpty;
  };
  useShortcut("Escape", "tasks.keys.none", () => selection.clear());
  return html`
    <label class="choose">
      <input type="checkbox" ref=${box} aria-label=${t("tasks.select.loaded")} checked=${isWhole} disabled=${rows.tasks.size === 0} onClick=${change} />
    </label>
  `;
}

function Count({ list }) {
  list.drawn.value; // draw again when it changes
  const { rows } = list;
  if (list.phase.value !== "ready") return html`<p class="quiet count"></p>`;
  const words = amount(rows);
  return html`
    <p class="quiet count">
      ${isNarrow(list.filter) ? t("tasks.total.matching", { total: words }) : words}${mayBeOld() && html` · <span class="stale">${t("tasks.old")}</span>`}
    </p>
  `;
}

function Chosen({ list }) {
  list.drawn.value; // draw again when it changes
  const { selection, rows } = list;
  const { isAll, some } = selection;
  const total = number(rows.total);
  return html`
    <p class="chosen-count">
      <strong>${isAll.value ? t(rows.isEstimate ? "tasks.chosen.about" : "tasks.chosen.all", { total }) : t("tasks.chosen", { n: some.value.size })}</strong>
      ${
        !isAll.value &&
        rows.total > some.value.size &&
        html`<button type="button" class="text" onClick=${() => selection.takeAll()}>${t(rows.isEstimate ? "tasks.choose.about" : "tasks.choose.all", { total })}</button>`
      }
      <button type="button" class="text none" onClick=${() => selection.clear()}>${t("tasks.choose.none")}</button>
    </p>
    ${
      mayWrite.value &&
      html`
      <div class="bulk" role="group" aria-label=${t("bulk.label")}>
        ${ACTIONS.map(
          ([action, icon]) => html`
            <button key=${action} type="button" class="secondary small" onClick=${() => actOnChosen(list, action)}>
              <${Icon} name=${icon} /><span>${t(`act.${action}`)}</span>
            </button>
          `,
        )}
      </div>
    `
    }
  `;
}

function Running() {
  const { action, done, of, stop } = running.value;
  return html`
    <p class="running" role="status">${of === null ? t("bulk.running") : t("bulk.running.of", { what: t(`act.${action}`), done: number(done), of: number(of) })}</p>
    <progress max=${of ?? 1} value=${of === null ? undefined : done} aria-label=${t("bulk.running")}></progress>
    <button type="button" class="secondary small" onClick=${stop}>${t("bulk.stop")}</button>
  `;
}
