// Any JSON, as a tree that is drawn as far as it is opened.
import { useState } from "preact/hooks";
import { number } from "../format.js";
import { html } from "../html.js";
import { Foreign } from "../told.js";
import { t } from "../words.js";

const PAGE = 100;
const LONG = 2000;

/** A value; objects and lists fold. */
export function Tree({ value, name = null, isOpen = true }) {
  if (value === null || typeof value !== "object")
    return html`<div class="leaf">${name !== null && html`<b lang="en">${name}</b> `}<${Leaf} value=${value} /></div>`;
  return html`<${Branch} value=${value} name=${name} isOpen=${isOpen} />`;
}

function Leaf({ value }) {
  if (typeof value !== "string")
    return html`<code>${value === null ? "null" : typeof value === "number" ? number(value, 6) : String(value)}</code>`;
  return html`<span class="text"><${Foreign} text=${value.length > LONG ? `${value.slice(0, LONG)}…` : value} /></span>`;
}

function Branch({ value, name, isOpen }) {
  const [opened, open] = useState(isOpen);
  const [most, setMost] = useState(PAGE);
  const members = Array.isArray(value) ? value.map((item, place) => [String(place + 1), item]) : Object.entries(value);
  const rest = members.length - most;
  const body =
    opened &&
    html`
    <div class="members">
      ${members.slice(0, most).map(([key, item]) => html`<${Tree} key=${key} name=${key} value=${item} isOpen=${members.length <= 3} />`)}
      ${rest > 0 && html`<button type="button" class="secondary small" onClick=${() => setMost(most + 5 * PAGE)}>${t("task.table.more", { n: rest })}</button>`}
      ${members.length === 0 && html`<span class="quiet">${t("task.tree.empty")}</span>`}
    </div>
  `;
  if (name === null) return html`<div class="tree">${body}</div>`;
  return html`
    <details class="branch" open=${opened} onToggle=${(event) => open(event.currentTarget.open)}>
      <summary><b lang="en">${name}</b> <span class="quiet">${number(members.length)}</span></summary>
      ${body}
    </details>
  `;
}
