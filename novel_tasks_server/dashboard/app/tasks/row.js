// One task in the list.
import { busy, act } from "./acting.js";
import { takes } from "./requests.js";
import { openResult, resultOf } from "./results.js";
import { identity, isAdmin, mayWrite } from "../access.js";
import { about, ago, duration, moment, nameOf, size } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { href } from "../router.js";
import { errorOf, Fault, errorText, stageText } from "../told.js";
import { t } from "../words.js";

const ICONS = { retry: "retry", cancel: "stop", reprioritize: "up", delete: "trash" };

/** The task at a place, one of `count`; `onMenu` opens its actions where there is no room for them. */
export function Row({ list, task, index, count, top, now, onMenu }) {
  const place = { "aria-setsize": count, "aria-posinset": index + 1, "data-place": index, style: { top: `${top}px` } };
  if (!task) return html`<li class="row hole" ...${place}><span class="unseen">${t("tasks.loading")}</span></li>`;
  const isChosen = list.selection.has(task.id);
  const name = nameOf(task);
  return html`
    <li class="row ${task.status} ${isChosen ? "chosen" : ""}" ...${place}>
      <label class="choose">
        <input
          type="checkbox"
          aria-label=${t("tasks.select", { name })}
          checked=${isChosen}
          onClick=${(event) => (list.selection.toggle(list.rows, index, event.shiftKey), (event.currentTarget.checked = list.selection.has(task.id)))}
        />
      </label>
      <div class="what">
        <a class="name" href=${href(`tasks/${task.id}`)} title=${name}><bdi>${name}</bdi></a>
        <p class="facts quiet"><${Facts} task=${task} now=${now} /></p>
      </div>
      <div class="state"><${State} task=${task} now=${now} /></div>
      <div class="doings">
        <${Result} task=${task} name=${name} />
        ${mayWrite.value && html`<${Doings} list=${list} task=${task} name=${name} onMenu=${onMenu} />`}
      </div>
    </li>
  `;
}

function Facts({ task, now }) {
  const owner = isAdmin.value && task.owner && task.owner !== identity.value?.owner ? task.owner : null;
  return html`
    <span>${task.processor}</span>
    ${task.file_size !== null && html`<span class="number">${size(task.file_size)}</span>`}
    <time datetime=${task.uploaded_at} title=${moment(task.uploaded_at)}>${ago(task.uploaded_at, Math.max(now, Date.parse(task.uploaded_at)))}</time>
    ${owner && html`<span class="owner" title=${t("tasks.owner", { owner })}><bdi>${owner}</bdi></span>`}
  `;
}

const signed = (priority) => (priority > 0 ? `+${priority}` : `−${-priority}`);

function State({ task, now }) {
  const status = html`
    <span class="status ${task.status}">${t(`status.${task.status}`)}</span>
    ${task.priority !== 0 && html`<span class="tag">${t("tasks.priority", { priority: signed(task.priority) })}</span>`}
    ${task.attempt > 1 && html`<span class="tag">${t("tasks.attempt", { n: task.attempt })}</span>`}
  `;
  switch (task.status) {
    case "processing":
      return html`
        <p class="top-line">${status}<span class="quiet number percent">${percent(task)}</span></p>
        <progress max="100" value=${task.progress} aria-label=${t("tasks.progress", { name: nameOf(task) })}></progress>
        <p class="quiet more" title=${stageText(task.stage)}>${stageText(task.stage)}</p>
      `;
    case "failed":
      return html`<p class="top-line">${status}</p><p class="bad more" title=${errorText(errorOf(task))}><${Fault} error=${errorOf(task)} /></p>`;
    case "completed":
      return html`<p class="top-line">${status}</p><p class="quiet more">${took(task)}</p>`;
    case "pending":
      return html`<p class="top-line">${status}</p><p class="quiet more" title=${task.error_message === null ? moment(task.run_at) : errorText(errorOf(task))}>${waits(task, now)}</p>`;
  }
  return html`<p class="top-line">${status}</p>`;
}

function percent({ progress, eta_seconds: left }) {
  return left === null
    ? t("tasks.percent", { n: progress })
    : t("tasks.percent.left", { n: progress, time: duration(Math.max(1, Math.round(left))) });
}

// Why a waiting task does not begin: it is not yet time, or it failed and another attempt is to come.
function waits(task, now) {
  const { run_at: at, error_message: message } = task;
  const isLater = at !== null && Date.parse(at) > now;
  if (message !== null)
    return html`${isLater ? t("tasks.next.later", { when: ago(at, now) }) : t("tasks.next")} <${Fault} error=${errorOf(task)} />`;
  return isLater ? t("tasks.scheduled", { when: ago(at, now) }) : "";
}

function took({ started_at: from, completed_at: to }) {
  return from && to ? t("tasks.took", { time: duration((Date.parse(to) - Date.parse(from)) / 1000) }) : "";
}

function Result({ task, name }) {
  const result = resultOf(task);
  if (!result) return null;
  const words = t(`tasks.result.${result.words}`);
  return html`
    <a class="result" href=${result.url} target="_blank" rel="noopener noreferrer" aria-label=${about(words, name)} onClick=${(event) => openResult(event, task, result)}>
      <${Icon} name=${result.icon} /><span>${words}</span>
    </a>
  `;
}

function Doings({ list, task, name, onMenu }) {
  const isBusy = busy.value.has(task.id);
  const button = (action) => html`
    <button
      key=${action}
      type="button"
      class="icon quick"
      disabled=${isBusy}
      title=${t(`act.${action}`)}
      aria-label=${about(t(`act.${action}`), name)}
      onClick=${() => act(list, action, task)}
    >
      <${Icon} name=${ICONS[action]} />
    </button>
  `;
  return html`
    ${["reprioritize", "retry", "cancel", "delete"].filter((action) => takes(action, task)).map(button)}
    <button type="button" class="icon menu" aria-label=${t("tasks.menu", { name })} aria-haspopup="dialog" onClick=${() => onMenu(task)}><${Icon} name="more" /></button>
  `;
}
