// Two charts over the chapters of the book, under one cursor: how long the chapters are, and who is in them. The cursor is
// moved by the pointer or by the arrow keys, and what is under it is told in words.
import { useMemo, useState } from "preact/hooks";
import { about, listed, number } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";
import { barsOf, median, peopleOf, stepOf } from "./shape.js";
import { ChapterTable, PeopleTable } from "./tables.js";

const HEIGHT = 150;
const TOP = 8;
const STRIP = 26;
const FEW = 8;
const LEAPS = {
  ArrowLeft: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowDown: -1,
  PageUp: 10,
  PageDown: -10,
  Home: -Infinity,
  End: Infinity,
};

/** The charts of an analysis whose shape is known. */
export function Charts({ analysis, shape }) {
  const bars = useMemo(() => barsOf(shape), [shape]);
  const people = useMemo(() => peopleOf(analysis, shape), [analysis, shape]);
  const [at, setAt] = useState(null);
  const [showsAll, showAll] = useState(false);
  const caption = at === null ? null : captionOf(shape, bars[at]);
  const who = at === null ? "" : whoIsAt(people, at);
  const shown = showsAll ? people : people.slice(0, FEW);
  const hasDialogue = analysis.book.dialogue_share !== null;
  const scale = useMemo(() => scaleOf(bars), [bars]);
  const cursor = { at, setAt, count: bars.length };
  return html`
    <div class="diagram">
      <h3 id="lengths">${t("task.chart.lengths")}</h3>
      <div class="scaled">
        <${Scale} ...${scale} />
        <${Scrubber} ...${cursor} label=${t("task.chart.lengths")} text=${caption ? `${caption}. ${who}` : t("task.chart.hint")}>
          <${Bars} ...${{ bars, at, scale, hasDialogue }} />
        <//>
      </div>
      <${Legend} unit=${shape.unit} middle=${scale.middle} hasDialogue=${hasDialogue} />
      <p class="pointed" aria-hidden="true">${caption ? html`<bdi>${caption}</bdi>` : html`<span class="quiet">${t("task.chart.hint")}</span>`}</p>
      <${ChapterTable} shape=${shape} language=${analysis.language} />
    </div>
    ${analysis.book.people === null && html`<p class="quiet">${t("task.people.unknown")}</p>`}
    ${
      people.length > 0 &&
      html`
      <div class="diagram">
        <h3 id="people">${t("task.chart.people")}</h3>
        <ul class="people">
          ${shown.map((person) => html`<${Strip} key=${person.name} person=${person} ...${cursor} />`)}
        </ul>
        <p class="pointed" aria-hidden="true">${at !== null && who}</p>
        ${
          people.length > FEW &&
          html`
          <button type="button" class="secondary small" aria-expanded=${String(showsAll)} onClick=${() => showAll(!showsAll)}>
            ${t(showsAll ? "task.people.fewer" : "task.people.all", { n: people.length })}
          </button>
        `
        }
        <${PeopleTable} people=${people} shape=${shape} language=${analysis.language} />
      </div>
    `
    }
  `;
}

function captionOf(shape, { first, last, amount, spoken }) {
  const isOne = first === last;
  const name = isOne
    ? nameOf(shape.chapters[first], first)
    : t("task.chapter.range", { first: first + 1, last: last + 1 });
  const length = t(isOne ? `task.amount.${shape.unit}` : `task.amount.mean.${shape.unit}`, { n: Math.round(amount) });
  const said = spoken ? `${t("format.comma")}${t("task.amount.spoken", { share: Math.round(spoken * 100) })}` : "";
  return about(name, `${length}${said}`);
}

function nameOf({ part, title }, place) {
  return [part, title].filter(Boolean).join(" · ") || t("task.chapter.number", { number: place + 1 });
}

function whoIsAt(people, at) {
  const here = people.filter(({ counts }) => counts[at]).sort((one, other) => other.counts[at] - one.counts[at]);
  if (!here.length) return people.length ? t("task.people.nobody") : "";
  const names = here.slice(0, 6).map(({ name, counts }) => `${name} (${number(counts[at])})`);
  return listed(names) + (here.length > 6 ? ` ${t("task.people.others", { n: here.length - 6 })}` : "");
}

/** What moves the cursor to where the pointer is, and takes it away with the mouse. */
function pointing(setAt, count) {
  const point = (event) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    setAt(Math.max(0, Math.min(count - 1, Math.floor(((event.clientX - left) / width) * count))));
  };
  return {
    onPointerMove: point,
    onPointerDown: point,
    onPointerLeave: (event) => event.pointerType === "mouse" && setAt(null),
  };
}

/** What is drawn with a cursor over it. It is a slider to the keyboard and to screen readers. */
function Scrubber({ at, setAt, count, label, text, children }) {
  const press = (event) => {
    if (!(event.key in LEAPS)) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(count - 1, (at ?? -1) + LEAPS[event.key])));
  };
  return html`
    <div
      class="scrubber"
      role="slider"
      tabindex="0"
      aria-label=${label}
      aria-valuemin="1"
      aria-valuemax=${count}
      aria-valuenow=${(at ?? 0) + 1}
      aria-valuetext=${text}
      ...${pointing(setAt, count)}
      onKeyDown=${press}
    >
      ${children}
    </div>
  `;
}

const percent = (part) => `${(part * 100).toFixed(3)}%`;

/** What the bars are measured by. */
function scaleOf(bars) {
  const tallest = Math.max(1, ...bars.map(({ amount }) => amount));
  const step = stepOf(tallest);
  const highest = step * Math.ceil(tallest / step);
  const steps = Array.from({ length: Math.round(highest / step) + 1 }, (_, place) => place * step);
  return {
    steps,
    y: (amount) => TOP + HEIGHT * (1 - amount / highest),
    middle: bars.length > 4 ? median(bars.map(({ amount }) => amount)) : null,
  };
}

function Scale({ steps, y }) {
  const widest = number(steps.at(-1));
  return html`<div class="scale" aria-hidden="true"><span class="unseen">${widest}</span>${steps.slice(1).map((amount) => html`<b key=${amount} style=${{ top: `${y(amount)}px` }}>${number(amount)}</b>`)}</div>`;
}

function Bars({ bars, at, scale, hasDialogue }) {
  const { steps, y, middle } = scale;
  return html`
    <svg class="bars" width="100%" height=${HEIGHT + TOP + 1} aria-hidden="true">
      ${steps.map((amount) => html`<line key=${amount} class="rule" x1="0" x2="100%" y1=${y(amount)} y2=${y(amount)} />`)}
      ${at !== null && html`<rect class="cursor" x=${percent(at / bars.length)} width=${percent(1 / bars.length)} y="0" height=${HEIGHT + TOP} />`}
      <${Columns} ...${{ bars, y, hasDialogue }} />
      ${middle !== null && html`<line class="median" x1="0" x2="100%" y1=${y(middle)} y2=${y(middle)} />`}
    </svg>
  `;
}

function Legend({ unit, middle, hasDialogue }) {
  return html`
    <p class="meaning quiet">
      <span>${t(`task.chart.unit.${unit}`)}</span>
      ${hasDialogue && html`<span class="key spoken">${t("task.chart.spoken")}</span>`}
      ${middle !== null && html`<span class="key median">${t("task.chart.median", { amount: Math.round(middle) })}</span>`}
    </p>
  `;
}

/** The bars alone, which do not change while the cursor moves. */
function Columns({ bars, y, hasDialogue }) {
  const width = bars.length > 120 ? 1 : 0.76;
  return useMemo(
    () =>
      bars.map(({ first, amount, spoken }, place) => {
        const x = percent((place + (1 - width) / 2) / bars.length);
        const wide = percent(width / bars.length);
        const [top, foot] = [y(amount), y(0)];
        const said = hasDialogue ? (foot - top) * spoken : 0;
        return html`
          <g key=${first}>
            <rect class="told" x=${x} width=${wide} y=${top} height=${Math.max(0, foot - top - said)} />
            <rect class="spoken" x=${x} width=${wide} y=${foot - said} height=${said} />
          </g>
        `;
      }),
    [bars, hasDialogue],
  );
}

function Strip({ person, at, setAt, count }) {
  const path = useMemo(() => stripOf(person.counts), [person]);
  return html`
    <li>
      <span class="name" title=${listed([person.name, ...person.aliases])}><bdi>${person.name}</bdi></span>
      <svg class="strip" viewBox="0 0 ${count} ${STRIP}" preserveAspectRatio="none" aria-hidden="true" ...${pointing(setAt, count)}>
        <rect class="ground" x="0" y="0" width=${count} height=${STRIP} />
        ${at !== null && html`<rect class="cursor" x=${at} y="0" width="1" height=${STRIP} />`}
        <path d=${path} />
      </svg>
      <span class="number quiet" title=${t("task.people.mentions", { n: person.mentions })}>${number(person.mentions)}</span>
    </li>
  `;
}

/** The outline of columns; the root of a count keeps single mentions visible. */
function stripOf(counts) {
  const most = Math.sqrt(Math.max(1, ...counts));
  return counts
    .map((count, place) =>
      count ? `M${place} ${STRIP}V${(STRIP - 3 - (STRIP - 5) * (Math.sqrt(count) / most)).toFixed(1)}h1V${STRIP}z` : "",
    )
    .join("");
}
