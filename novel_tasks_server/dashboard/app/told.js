// What the server and the processors say: in the words of the page where it knows the code, else as it came.
import { about, duration } from "./format.js";
import { html } from "./html.js";
import { say } from "./say.js";
import { hasWords, language, t } from "./words.js";

const lettersOf = (text, script) => text.match(script)?.length ?? 0;

/** The language to declare for a text that came from elsewhere: English, unless most of it is written in other letters. */
export function languageOf(text) {
  return lettersOf(text, /\p{Script=Latin}/gu) * 2 > lettersOf(text, /\p{L}/gu) ? "en" : undefined;
}

/** What to declare for texts out of a novel; `tag` is how its language was found. */
export const tagOf = (tag) => (tag && tag !== "und" ? tag : undefined);

/** A text that came from elsewhere, marked so that it is read aloud as what it is. */
export function Foreign({ text }) {
  return html`<span lang=${languageOf(text)} dir="auto">${text}</span>`;
}

/** Values as they are typed, and as ids and codes are written: numbers without separators. */
export function plain(values) {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/** What is wrong with what is called `label`. The server's words are a predicate: "must be a number". */
function predicate(label, words) {
  if (!label) return html`<${Foreign} text=${words} />`;
  return language.value === "en" ? `${label} ${words}` : html`${label}${t("told.colon")}<${Foreign} text=${words} />`;
}

/** Words, and behind them what only the server or the browser can say: why it is so. */
export function withReason(words, reason) {
  if (!reason) return words;
  return html`${words.replace(/[.。]$/, "")}${t("told.colon")}<${Foreign} text=${reason} />`;
}

/** `{words, reason}` of a fault that the server found; `words` is null where the page has none for the rule that is broken. */
export function readFault({ code, values = {}, detail }) {
  if (code === "undecodable") return { words: readError({ type: "DecodingError", details: values }).words, reason: null };
  const isKnown = code && hasWords(`form.${code}`);
  return isKnown ? { words: t(`form.${code}`, values), reason: values.reason } : { words: null, reason: detail };
}

/** What the server says is wrong with what is called `label`, which may be empty. */
export function Complaint({ fault, label = "" }) {
  const { words, reason } = readFault(fault);
  return words === null ? predicate(label, reason) : withReason(words, reason);
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

/** An error of a task as plain text. */
export function errorText(error) {
  const { words, message } = readError(error);
  return words && message ? about(words, message) : (words ?? message);
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

const LABELS = { priority: "uploads.priority", run_at: "uploads.runAt", processor: "uploads.processor" };

/** What the page calls the place of a fault; else its name in the request. */
function labelOf(pointer) {
  const name = pointer.replace(/^\//, "");
  if (name === "file") return ""; // what is wrong with a file speaks of it by itself
  const key = LABELS[name] ?? `option.${name.replace(/^options\//, "")}`;
  return hasWords(key) ? t(key) : name;
}

function Place({ fault }) {
  const label = labelOf(fault.pointer);
  return html`${label && html`${label}${t("told.colon")}`}<${Complaint} fault=${fault} />`;
}

/** What a Problem says, drawn: what the page has no words for stays in the language of the server. */
export function Refusal({ problem }) {
  const { words, errors } = problem;
  if (words === null) return html`<${Foreign} text=${problem.text} />`;
  if (!errors.length) return words;
  const told = errors.map((fault, index) => html`${index > 0 && t("told.and")}<${Place} fault=${fault} />`);
  return html`${words.replace(/[.。]$/, "")}${t("told.colon")}${told}`;
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
