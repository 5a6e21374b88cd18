// What `clean` changed: each kind with its count, and examples to look at.
import { number } from "../format.js";
import { html } from "../html.js";
import { tagOf } from "../told.js";
import { t } from "../words.js";

const MOST = 20;

/** The changes of changes.json. */
export function Changes({ document: { changes, dropped, suspects, language } }) {
  const made = changes.filter(({ count }) => count > 0);
  if (made.length === 0) return html`<p class="quiet">${t("task.changes.none")}</p>`;
  return html`
    <h3>${t("task.changes")}</h3>
    <div class="changes">
      ${made.map((change) => html`<${Change} key=${change.kind} ...${change} lang=${tagOf(language)} />`)}
      <${Lines} words="task.changes.dropped" lines=${dropped} lang=${tagOf(language)} />
      <${Lines} words="task.changes.suspects" lines=${suspects} lang=${tagOf(language)} />
    </div>
  `;
}

function Change({ kind, count, examples, lang }) {
  const title = html`<span>${t(`task.change.${kind}`)}</span> <span class="number quiet">${number(count)}</span>`;
  if (examples.length === 0) return html`<p class="change">${title}</p>`;
  return html`
    <details class="change">
      <summary>${title}</summary>
      <ul>
        ${examples.slice(0, MOST).map(
          ({ line, before, after }, place) => html`
          <li key=${place}>
            <span class="quiet">${t("task.changes.line", { line })}</span>
            <del dir="auto" lang=${lang}>${before}</del> ${after !== null && html`<ins dir="auto" lang=${lang}>${after}</ins>`}
          </li>
        `,
        )}
      </ul>
    </details>
  `;
}

function Lines({ words, lines, lang }) {
  if (!lines?.length) return null;
  return html`
    <details class="change">
      <summary><span>${t(words)}</span> <span class="number quiet">${number(lines.length)}</span></summary>
      <ul>${lines.slice(0, MOST).map(({ line, sections }) => html`<li key=${line}><bdi lang=${lang}>${line}</bdi> <span class="number quiet">× ${number(sections)}</span></li>`)}</ul>
    </details>
  `;
}
