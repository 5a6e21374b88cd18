// What the server and the processors say: in the words of the page where it knows the code, else as it came.
import { duration } from "./format.js";
import { html } from "./html.js";
import { say } from "./say.js";
import { hasWords, language, t } from "./words.js";

const lettersOf = (text, script) => text.match(script)?.length ?? 0;

/** The language to declare for a text that came from elsewhere: English, unless most of it is written in other letters. */
export function languageOf(text) {
  return lettersOf(text, /\p{Script=Latin}/gu) * 2 > lettersOf(text, /\p{L}/gu) ? "en" : undefined;
}

/** A text that came from elsewhere, marked so that it is read aloud as what it is. */
export function Foreign({ text }) {
  return html`<span lang=${languageOf(text)} dir="auto">${text}</span>`;
}

/** Values as they are typed, and as ids and codes are written: numbers without separators. */
export function plain(values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/** What is wrong with what is called `label`. The server's words are a predicate: "must be a number". */
export function predicate(label, words) {
  return language.value === "en" ? `${label} ${words}` : html`${label}${t("told.colon")}<${Foreign} text=${words} />`;
}

/** Whose messages belong to what is said: they are other people's, or say which value is meant. */
const TELLING = new Set([
  "Cancelled",
  "ExternalError",
  "InvalidInputError",
  "InvalidOptionsError",
  "Retry",
  "Snooze",
  "TaskProcessingError",
]);

/** The error of a task; a server that is not upgraded yet may tell no more of it than a sentence. */
export const errorOf = ({ error, error_message: message }) => error ?? { type: "", message: message ?? "" };

/** `{words, message}` of an error of a task; `words` is null where the page has none for its type. */
export function readError({ type, message, details = {} }) {
  const values = {
    ...plain(details),
    time: duration(details.seconds),
    format: hasWords(`failure.format.${details.format}`) ? t(`failure.format.${details.format}`) : details.format,
  };
  const kinds = [details.kind, Object.keys(details).length > 0 && "told"].filter(Boolean);
  const isWhole = (key) => hasWords(key) && !/\{\w+\}/.test(t(key, values)); // a processor may leave fields out
  const key = [...kinds.map((kind) => `failure.${type}.${kind}`), `failure.${type}`].find(isWhole);
  return { words: key ? t(key, values) : null, message: !key || TELLING.has(type) ? message : null };
}

/** An error of a task in a sentence, without what makes it long. */
export function Fault({ error }) {
  const { words, message } = readError(error);
  if (words === null) return html`<${Foreign} text=${message} />`;
  if (!message) return words;
  return html`${words}${t("told.colon")}<${Foreign} text=${message} />`;
}

/** What a task is at: a title out of the novel, or one of the few that processors have names for. */
export function stageText(stage) {
  return hasWords(`stage.${stage}`) ? t(`stage.${stage}`) : stage;
}

/** What a Problem says, drawn: the places that the server names stay in its language. */
export function Refusal({ problem }) {
  const { words, places } = problem;
  if (words === null) return html`<${Foreign} text=${problem.text} />`;
  if (!places.length) return words;
  return html`${words.replace(/[.。]$/, "")}${t("told.colon")}<${Foreign} text=${places.join("; ")} />`;
}

/** Show a Problem in the corner; `of` is what it is about. */
export function sayProblem(problem, { of = null, action = null } = {}) {
  const about = of === null ? "" : `${of}${t("told.colon")}`;
  say(`${about}${problem.text}`, {
    kind: "bad",
    action,
    drawn: html`${about}<${Refusal} problem=${problem} />`,
  });
}
