// The chapters that `split` found.
import { number } from "../format.js";
import { html } from "../html.js";
import { t } from "../words.js";
import { Table } from "./tables.js";

/** The sections of chapters.json, and what was odd about them. */
export function Chapters({ document: { sections, evidence, language } }) {
  const columns = [
    ["#", (_, place) => number(place + 1), true],
    [t("task.table.title"), ({ title, level }) => html`<span class="level-${level}">${title || "–"}</span>`],
    [t("task.table.kind"), ({ kind }) => t(`task.kind.${kind}`)],
    [t("task.table.line"), ({ line }) => (line === null ? "–" : number(line)), true],
    [t("task.figure.characters"), ({ characters }) => number(characters), true],
  ];
  return html`
    ${evidence.gaps.length > 0 && html`<p class="notice warn">${t("task.chapters.gaps", { n: evidence.gaps.length })}</p>`}
    <${Table} summary=${t("task.table.sections", { n: sections.length })} columns=${columns} rows=${sections} language=${language} isOpen=${true} />
  `;
}
