// One line of the log.
import { useMemo } from "preact/hooks";
import { clock, duration, moment } from "../format.js";
import { html } from "../html.js";
import { languageOf } from "../told.js";
import { language, t } from "../words.js";

/** Lines that follow each other, drawn again only when they are others. */
export function Chunk({ lines, text, since }) {
  const draw = () => lines.map((line) => html`<${Line} key=${line.seq} line=${line} text=${text} since=${since} />`);
  return useMemo(draw, [lines[0]?.seq, lines.at(-1)?.seq, lines.length, text, since, language.value]);
}

/** A line; `text` is marked in it, `since` has its time told from there on rather than by the clock. */
function Line({ line, text, since }) {
  const { seq, at, level, message } = line;
  const time = since ? `+${duration(Math.max(0, (Date.parse(at) - Date.parse(since)) / 1000))}` : clock(at);
  return html`
    <div class="entry ${level}" data-seq=${seq}>
      <time datetime=${at} title=${moment(at)}>${time}</time>
      <span class="level">${t(`task.log.short.${level}`)}</span>
      <span class="said" dir="auto" lang=${languageOf(message)}>${marked(message, text)}</span>
    </div>
  `;
}

/** The message with each place of `text`, which is in lower case, marked. */
function marked(message, text) {
  if (!text) return message;
  const parts = [];
  const lower = message.toLowerCase();
  let done = 0;
  for (let at = lower.indexOf(text); at >= 0; at = lower.indexOf(text, done)) {
    parts.push(message.slice(done, at), html`<mark>${message.slice(at, at + text.length)}</mark>`);
    done = at + text.length;
  }
  return [...parts, message.slice(done)];
}
