// Charts over time, painted by uPlot in the colours of the page; a table says the same to those who cannot see them.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { html } from "./html.js";
import { watchSize } from "./resizing.js";
import { isDark } from "./theme.js";
import { locale, t } from "./words.js";

const NARROW = 480;
const WHOLE = Array.from({ length: 10 }, (_, power) => [1, 2, 5].map((each) => each * 10 ** power)).flat();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function faded(text) {
  return /^#[0-9a-f]{6}$/i.test(text) ? `${text}2e` : text;
}

function axis(extra) {
  return {
    stroke: colour("soft"),
    grid: { stroke: colour("line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
    ...extra,
  };
}

/** The marks of the time axis: times of day, dates where a day begins, in the language in use. */
function times(_, splits, __, ___, step) {
  let day = "";
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    const date = at.toLocaleDateString(locale.value, { month: "short", day: "numeric" });
    const isNew = date !== day && day !== "";
    day = date;
    if (step >= 86400 || isNew) return date;
    return at.toLocaleTimeString(locale.value, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  });
}

function options({ series, write, height, width, step, isWhole }) {
  return {
    width,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    padding: [8, 8, 0, 0],
    scales: {
      x: { range: (_, first, last) => [first, last + step] }, // the last bar needs its room
      y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] },
    },
    axes: [
      axis({ values: times, space: width < NARROW ? 70 : 90, size: 30 }),
      axis({ values: (_, splits) => splits.map(write), size: 62, ...(isWhole ? { incrs: WHOLE } : {}) }),
    ],
    series: [{}, ...series.map((line) => drawn(line))],
  };
}

function drawn({ label, colour: name, kind = "line", dashed = false, values }) {
  const paint = colour(name);
  const bars =
    kind === "bars"
      ? { paths: uPlot.paths.bars({ size: [0.8, 40], align: 1 }), fill: paint, width: 0 }
      : { width: 2 };
  return {
    label,
    stroke: paint,
    points: { show: kind === "line" && values.includes(null), size: 5, fill: paint },
    spanGaps: true,
    fill: dashed ? undefined : faded(paint),
    dash: dashed ? [5, 4] : undefined,
    ...bars,
  };
}

/**
 * A chart over time. `times` are seconds since 1970, `series` a list of `{label, colour, values, kind, dashed}` with one value
 * (or null) a time; `colour` names a variable of base.css, `kind` is "line" or "bars". `write` writes a value for people;
 * `isWhole` values are counts.
 */
export function Chart({ label, times: at, series, write, height = 200, isWhole = false }) {
  const place = useRef(null);
  const readout = useRef(null);
  const dark = isDark.value;
  const names = series.map((line) => line.label + line.colour).join();
  const latest = useRef(null);
  latest.current = { at, series, write };
  const plot = useRef(null);
  useEffect(() => {
    const element = place.current;
    const step = at.length > 1 ? at[1] - at[0] : 60;
    const chosen = { series, write, height, step, isWhole, width: Math.max(200, element.clientWidth) };
    const tell = (made) => (readout.current.textContent = reading(made.cursor.idx, latest.current));
    plot.current = new uPlot(
      { ...options(chosen), hooks: { setCursor: [tell] } },
      [at, ...series.map((line) => line.values)],
      element,
    );
    const fit = () => plot.current.setSize({ width: Math.max(200, element.clientWidth), height });
    const unwatch = watchSize(element, fit);
    return () => (unwatch(), plot.current.destroy(), (plot.current = null));
  }, [dark, names, height, locale.value, at.length > 1 ? at[1] - at[0] : 0]);
  useEffect(() => plot.current?.setData([at, ...series.map((line) => line.values)]), [at, series]);
  return html`
    <figure class="chart">
      <figcaption>
        <span class="legend" aria-hidden="true">
          ${series.map((line) => html`<span key=${line.label} class="mark ${line.dashed ? "dashed" : ""}" style=${{ "--mark": `var(--${line.colour})` }}>${line.label}</span>`)}
        </span>
        <span class="reading number" ref=${readout} aria-hidden="true"></span>
      </figcaption>
      <div class="plot" ref=${place} role="img" aria-label=${label}></div>
      <${Table} label=${label} times=${at} series=${series} write=${write} />
    </figure>
  `;
}

function when(seconds) {
  return new Date(seconds * 1000).toLocaleString(locale.value, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

function reading(index, { at, series, write }) {
  if (index === null || index === undefined || at[index] === undefined) return "";
  const parts = series.map(({ label, values }) => `${label} ${values[index] === null ? "–" : write(values[index])}`);
  return `${when(at[index])} · ${parts.join(" · ")}`;
}

function Table({ label, times: at, series, write }) {
  const filled = at.map((_, index) => index).filter((index) => series.some(({ values }) => values[index]));
  return html`
    <details class="as-table">
      <summary>${t("chart.table")}</summary>
      ${
        filled.length === 0
          ? html`<p class="quiet">${t("chart.nothing")}</p>`
          : html`
            <div class="scroll" tabindex="0" role="region" aria-label=${label}>
              <table>
                <caption class="unseen">${label}</caption>
                <thead><tr><th scope="col">${t("chart.time")}</th>${series.map((line) => html`<th key=${line.label} scope="col">${line.label}</th>`)}</tr></thead>
                <tbody>
                  ${filled.reverse().map(
                    (index) => html`
                    <tr key=${at[index]}>
                      <th scope="row">${when(at[index])}</th>
                      ${series.map(({ label: name, values }) => html`<td key=${name} class="number">${values[index] === null ? "–" : write(values[index])}</td>`)}
                    </tr>
                  `,
                  )}
                </tbody>
              </table>
            </div>
          `
      }
    </details>
  `;
}
