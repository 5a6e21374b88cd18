// What the charts show, as tables; a part at a time, since a novel may have tens of thousands of chapters.
import { useState } from "preact/hooks";
import { listed, number } from "../format.js";
import { html } from "../html.js";
import { tagOf } from "../told.js";
import { t } from "../words.js";

const PAGE = 200;

/**
 * A table under a summary, drawn when it is opened. `columns` are `[title, cell of row and place, isNumber]`; the second
 * has texts of the novel, which are in `language`.
 */
export function Table({ summary, columns, rows, language, isOpen = false }) {
  const [opened, open] = useState(isOpen);
  const [most, setMost] = useState(PAGE);
  return html`
    <details class="table" open=${opened} onToggle=${(event) => open(event.currentTarget.open)}>
      <summary>${summary}</summary>
      ${
        opened &&
        html`
        <div class="sheet-of-rows" tabindex="0" role="region" aria-label=${summary}>
          <table>
            <thead><tr>${columns.map(([title, , isNumber]) => html`<th key=${title} scope="col" class=${isNumber ? "number" : ""}>${title}</th>`)}</tr></thead>
            <tbody>
              ${rows.slice(0, most).map(
                (row, place) => html`
                <tr key=${place} class=${row.kind ?? ""}>
                  ${columns.map(([title, cell, isNumber], column) => html`<td key=${title} class=${isNumber ? "number" : ""} dir=${column === 1 ? "auto" : null} lang=${column === 1 ? tagOf(language) : null}>${cell(row, place)}</td>`)}
                </tr>
              `,
              )}
            </tbody>
          </table>
        </div>
        ${rows.length > most && html`<button type="button" class="secondary small" onClick=${() => setMost(most + 5 * PAGE)}>${t("task.table.more", { n: rows.length - most })}</button>`}
      `
      }
    </details>
  `;
}

const share = (part, whole) => (whole && part ? `${number(Math.round((part / whole) * 100))}%` : "–");

/** All chapters of a shape. */
export function ChapterTable({ shape, language }) {
  const columns = [
    ["#", (_, place) => number(place + 1), true],
    [t("task.table.title"), ({ part, title }) => [part, title].filter(Boolean).join(" · ") || "–"],
    [t(`task.figure.${shape.unit}`), ({ amount }) => number(amount), true],
    [t("task.figure.dialogue"), ({ spoken, characters }) => share(spoken, characters), true],
    [t("task.table.minutes"), ({ minutes }) => (minutes ? number(minutes, 1) : "–"), true],
  ];
  return html`<${Table} summary=${t("task.table.chapters")} columns=${columns} rows=${shape.chapters} language=${language} />`;
}

/** All people. */
export function PeopleTable({ people, shape, language }) {
  const chapter = (at) => (at === null ? "–" : shape.chapters[at].title || number(at + 1));
  const columns = [
    ["#", (_, place) => number(place + 1), true],
    [t("task.table.name"), ({ name, aliases }) => listed([name, ...aliases])],
    [t("task.table.mentions"), ({ mentions }) => number(mentions), true],
    [t("task.figure.chapters"), ({ chapters }) => number(chapters), true],
    [t("task.table.first"), ({ first }) => chapter(first)],
    [t("task.table.last"), ({ last }) => chapter(last)],
  ];
  return html`<${Table} summary=${t("task.table.people")} columns=${columns} rows=${people} language=${language} />`;
}
