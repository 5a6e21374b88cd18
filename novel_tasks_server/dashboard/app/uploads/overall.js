// All uploads in one line: how many, how much, how fast; and what holds them up.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { asking } from "../access.js";
import { clock, duration, number, size } from "../format.js";
import { html } from "../html.js";
import { Refusal } from "../told.js";
import { t } from "../words.js";
import { keepingFocus } from "./focus.js";
import { cancelAll, goOn, hold, isBusy, summary } from "./queue.js";
import { settledText } from "./texts.js";

const SPAN_MS = 4000;

/** The time, for what counts down; moves only while somebody looks. */
const now = signal(Date.now());
let marks = [];

/** Bytes a second over the last seconds, null before there is enough to tell. */
function speed() {
  const { sent } = summary.value;
  const latest = { at: now.value, sent };
  if (marks.length && sent < marks.at(-1).sent) marks = [];
  if (latest.at !== marks.at(-1)?.at) marks = [...marks.filter(({ at }) => latest.at - at <= SPAN_MS), latest];
  const [first] = marks;
  return latest.at - first.at >= 1000 && sent > first.sent
    ? (1000 * (sent - first.sent)) / (latest.at - first.at)
    : null;
}

function useClock(isOn) {
  useEffect(() => {
    if (!isOn) return undefined;
    now.value = Date.now();
    const timer = setInterval(() => (now.value = Date.now()), 500);
    return () => clearInterval(timer);
  }, [isOn]);
}

/** The line, and below it what is waited for. */
export function Overall() {
  const busy = isBusy.value;
  useClock(busy);
  const counts = summary.value;
  if (!busy) return html`<p class="overall"><strong>${settledText(counts)}</strong></p>`;
  const settled = counts.done + counts.known;
  return html`
    <div class="overall">
      <p>
        <strong>${t("uploads.overall", { done: number(settled), all: number(counts.all) })}</strong>
        <span class="quiet number">${amountText(counts)}</span>
        <button type="button" class="secondary small" onClick=${keepingFocus(cancelAll)}>${t("uploads.cancel.all")}</button>
      </p>
      <progress max=${Math.max(1, counts.bytes)} value=${counts.sent} aria-label=${t("uploads.progress.all")}></progress>
      <${Hold} />
    </div>
  `;
}

function amountText(counts) {
  const parts = [t("uploads.amount", { sent: size(counts.sent), all: size(counts.bytes) })];
  const rate = hold.value ? null : speed();
  if (rate)
    parts.push(
      t("uploads.speed", { size: size(rate) }),
      t("uploads.left.time", { duration: duration(Math.ceil((counts.bytes - counts.sent) / rate)) }),
    );
  return parts.join(" · ");
}

function Hold() {
  const held = hold.value;
  if (!held) return null;
  const seconds = held.until === null ? null : Math.max(0, Math.ceil((held.until - now.value) / 1000));
  const isBad = held.why === "stopped";
  return html`
    <div class="notice ${isBad ? "bad" : ""}" role="status">
      <span>${isBad ? html`<${Refusal} problem=${held.problem} />` : t(`uploads.hold.${held.why}`)}</span>
      ${seconds !== null && html`<span class="number" aria-live="off">${t("uploads.hold.until", { duration: duration(seconds), clock: clock(held.until) })}</span>`}
      ${
        held.why === "token"
          ? html`<button type="button" class="small" onClick=${() => (asking.value = { reason: "expired" })}>${t("uploads.hold.give")}</button>`
          : html`<button type="button" class="secondary small" onClick=${keepingFocus(goOn)}>${t("uploads.hold.now")}</button>`
      }
    </div>
  `;
}
