// The figures of a novel, as tiles; what is not known of it is left out.
import { duration, languageName, number, SURE } from "../format.js";
import { html } from "../html.js";
import { Because } from "../reasons.js";
import { t } from "../words.js";

/** `[name, value, detail]` for each figure that a result has. */
function tilesOf(result) {
  const {
    chapters,
    words,
    characters,
    reading_minutes,
    dialogue_share,
    readability,
    language,
    encoding,
    repaired_bytes,
    pages,
  } = result;
  return [
    ["chapters", number(chapters)],
    ["words", words && number(words)],
    ["characters", characters && number(characters)],
    ["pages", pages && number(pages)],
    ["reading", reading_minutes && readingTime(reading_minutes)],
    ["dialogue", typeof dialogue_share === "number" && `${number(Math.round(dialogue_share * 100))}%`],
    [
      "readability",
      typeof readability === "number" && number(readability),
      typeof readability === "number" && t("task.figure.readability.scale"),
    ],
    ["language", language && (language === "und" ? t("task.figure.unknown") : languageName(language))],
    ["encoding", encoding, repaired_bytes > 0 && t("task.figure.repaired", { n: repaired_bytes })],
  ].filter(([, value]) => value);
}

/** Hours and minutes; nobody reads for days. */
function readingTime(minutes) {
  return minutes < 600
    ? duration(Math.max(1, Math.round(minutes)) * 60)
    : t("format.h", { n: Math.round(minutes / 60) });
}

/** The tiles, and how sure the chapters are. */
export function Figures({ result }) {
  return html`
    <dl class="tiles">
      ${tilesOf(result).map(([name, value, detail]) => html`<div key=${name}><dt>${t(`task.figure.${name}`)}</dt><dd class="number">${value}</dd>${detail && html`<dd class="quiet">${detail}</dd>`}</div>`)}
    </dl>
    <${Confidence} result=${result} />
  `;
}

function Confidence({ result: { confidence, reason } }) {
  if (typeof confidence !== "number") return null;
  const isLow = confidence < SURE;
  return html`
    <p class=${isLow ? "notice warn" : "quiet"}>
      ${t("task.confidence", { percent: Math.floor(confidence * 100) })}${reason && html`${t("told.colon")}<${Because} reason=${reason} />`}${t("task.stop")}${isLow && t("task.confidence.low")}
    </p>
  `;
}
