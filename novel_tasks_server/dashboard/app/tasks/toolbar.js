// What the list is asked for: status, search, processor, days, owner, order. All of it is in the address.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { isAdmin } from "../access.js";
import { number } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { go, href } from "../router.js";
import { useShortcut } from "../shortcuts.js";
import { catalogue } from "../uploads/catalogue.js";
import { Complaint } from "../told.js";
import { t } from "../words.js";
import { EVERYTHING, isNarrow, SORTS, STATUSES, writeFilter } from "./filter.js";
import { statistics } from "./store.js";

const TYPING_MS = 250;

const addressOf = (filter) => href("tasks", writeFilter(filter));

/** All of it. `faults` are what the server says is wrong, by the name of the condition. */
export function Toolbar({ filter, faults }) {
  const set = (changes, options) => go(addressOf({ ...filter, ...changes }), options);
  const isMore = filter.created_after || filter.created_before || filter.owner;
  const [isOpen, open] = useState(Boolean(isMore));
  const id = useId();
  return html`
    <div class="toolbar">
      <${Statuses} filter=${filter} />
      <search class="filters" aria-label=${t("tasks.search.label")}>
        <${Search} filter=${filter} set=${set} fault=${faults.q} />
        <${Processors} filter=${filter} set=${set} fault=${faults.processor} />
        <${Order} filter=${filter} set=${set} fault=${faults.sort_by} />
        <button type="button" class="secondary more-filters" aria-expanded=${isOpen ? "true" : "false"} aria-controls=${id} onClick=${() => open(!isOpen)}>
          <${Icon} name="funnel" /><span>${t("tasks.more")}</span>
        </button>
        ${
          isNarrow(filter) &&
          html`<a class="clear" href=${addressOf({ ...EVERYTHING, sort_by: filter.sort_by, order: filter.order })}>${t("tasks.clear")}</a>`
        }
      </search>
      <div class="filters days" id=${id} hidden=${!isOpen && !faults.created_after && !faults.created_before && !faults.owner}>
        <${Day} name="created_after" filter=${filter} set=${set} fault=${faults.created_after} />
        <${Day} name="created_before" filter=${filter} set=${set} fault=${faults.created_before} />
        ${isAdmin.value && html`<${Owner} filter=${filter} set=${set} fault=${faults.owner} />`}
      </div>
    </div>
  `;
}

function Statuses({ filter }) {
  const counts = statistics.value;
  const list = useRef(null);
  useEffect(() => {
    // On a phone not all have room: the chosen one is to be seen.
    const chosen = list.current.querySelector("[aria-current]");
    list.current.scrollLeft += chosen.getBoundingClientRect().right - list.current.getBoundingClientRect().right + 48;
  }, [filter.status, counts === null]);
  const link = (status) => {
    const count = counts?.[status || "total"];
    return html`
      <li key=${status}>
        <a href=${addressOf({ ...filter, status })} aria-current=${filter.status === status ? "true" : undefined}>
          ${status ? t(`status.${status}`) : t("tasks.all")} ${count !== undefined && html`<span class="count number ${count ? status : ""}">${number(count)}</span>`}
        </a>
      </li>
    `;
  };
  return html`<nav class="statuses" aria-label=${t("tasks.statuses")}><ul ref=${list}>${["", ...STATUSES].map(link)}</ul></nav>`;
}

function Field({ label, fault, children, isQuiet = true }) {
  const id = useId();
  return html`
    <div class="field">
      <label for=${id} class=${isQuiet ? "unseen" : ""}>${label}</label>
      ${children({ id, "aria-invalid": fault ? "true" : undefined, "aria-describedby": fault ? `${id}-fault` : undefined })}
      ${fault && html`<p class="bad fault" id=${`${id}-fault`} role="alert"><${Complaint} fault=${fault} /></p>`}
    </div>
  `;
}

// A text that is asked for when the person stops typing; each letter does not become a step back.
function useTyped(value, commit) {
  const [text, setText] = useState(value);
  const timer = useRef(null);
  const own = useRef(value);
  const latest = useRef(commit);
  latest.current = commit; // what else is asked for may have changed since the last letter
  useEffect(() => {
    if (value === own.current) return;
    clearTimeout(timer.current);
    setText((own.current = value)); // Back, or a link
  }, [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const finish = (wanted) => {
    clearTimeout(timer.current);
    own.current = wanted;
    latest.current(wanted);
  };
  const type = (wanted) => {
    setText(wanted);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => finish(wanted.trim()), TYPING_MS);
  };
  const clear = () => (setText(""), finish(""));
  return { text, type, clear, finish: () => finish(text.trim()) };
}

function Search({ filter, set, fault }) {
  const input = useRef(null);
  const { text, type, clear, finish } = useTyped(filter.q, (q) => set({ q }, { replace: true }));
  useShortcut("/", "tasks.keys.search", () => input.current.focus());
  const key = (event) => {
    if (event.key === "Enter") finish();
    if (event.key !== "Escape" || event.isComposing) return;
    if (text) clear();
    else event.currentTarget.blur();
  };
  return html`
    <div class="search">
      <${Field} label=${t("tasks.search")} fault=${fault}>
        ${(field) => html`
          <${Icon} name="search" />
          <input
            ...${field}
            ref=${input}
            type="search"
            maxlength="255"
            spellcheck="false"
            autocomplete="off"
            placeholder=${t("tasks.search.hint")}
            title=${t("tasks.search.how")}
            value=${text}
            onInput=${(event) => type(event.target.value)}
            onKeyDown=${key}
          />
        `}
      <//>
    </div>
  `;
}

function Processors({ filter, set, fault }) {
  const known = (catalogue.value?.processors ?? []).map(({ name }) => name);
  const names = filter.processor && !known.includes(filter.processor) ? [...known, filter.processor] : known;
  return html`
    <${Field} label=${t("tasks.processor")} fault=${fault}>
      ${(field) => html`
        <select ...${field} value=${filter.processor} onChange=${(event) => set({ processor: event.target.value })}>
          <option value="">${t("tasks.processor.any")}</option>
          ${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select>
      `}
    <//>
  `;
}

function Order({ filter, set, fault }) {
  const pick = (event) => {
    const [sort_by, order] = event.target.value.split(" ");
    set({ sort_by, order });
  };
  const orders = SORTS.flatMap((sort) =>
    (sort === "uploaded_at" || sort === "priority" ? ["desc", "asc"] : ["asc", "desc"]).map((order) => [sort, order]),
  );
  return html`
    <${Field} label=${t("tasks.order")} fault=${fault}>
      ${(field) => html`
        <select ...${field} value=${`${filter.sort_by} ${filter.order}`} onChange=${pick}>
          ${orders.map(([sort, order]) => html`<option key=${sort + order} value=${`${sort} ${order}`}>${t(`tasks.order.${sort}.${order}`)}</option>`)}
        </select>
      `}
    <//>
  `;
}

function Day({ name, filter, set, fault }) {
  const change = (event) => set({ [name]: event.target.value });
  return html`
    <${Field} label=${t(`tasks.${name}`)} fault=${fault} isQuiet=${false}>
      ${(field) => html`<input ...${field} type="date" value=${filter[name].slice(0, 10)} onChange=${change} />`}
    <//>
  `;
}

function Owner({ filter, set, fault }) {
  const { text, type } = useTyped(filter.owner, (owner) => set({ owner }, { replace: true }));
  return html`
    <${Field} label=${t("tasks.owner.label")} fault=${fault} isQuiet=${false}>
      ${(field) => html`<input ...${field} type="text" maxlength="200" autocomplete="off" spellcheck="false" value=${text} onInput=${(event) => type(event.target.value)} />`}
    <//>
  `;
}
