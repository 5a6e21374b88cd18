// Figures, times and names as people read them, in the language in use.
import { locale, t } from "./words.js";

const made = new Map();

// The browser's formatter of this kind. To make one takes longer than to use it a hundred times, so it is kept.
function formatter(kind, options) {
  const key = `${kind} ${locale.value} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Intl[kind](locale.value, options));
  return made.get(key);
}

/** From which confidence on nobody needs to look at the chapters that were found. */
export const SURE = 0.8;

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** 0.5 s, 42 s, 3 min 5 s, 2 h 10 min, 3 d 4 h. Null is a dash. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return t("format.ms", { n: Math.round(seconds * 1000) });
  if (seconds < 10) return t("format.s", { n: Math.round(seconds * 10) / 10 });
  const whole = Math.round(seconds);
  if (whole < 60) return t("format.s", { n: whole });
  if (whole < 3600) return two("format.min", Math.floor(whole / 60), "format.s", whole % 60);
  if (whole < 86400) return two("format.h", Math.floor(whole / 3600), "format.min", Math.floor((whole % 3600) / 60));
  return two("format.d", Math.floor(whole / 86400), "format.h", Math.floor((whole % 86400) / 3600));
}

function two(large, n, small, rest) {
  return rest ? `${t(large, { n })} ${t(small, { n: rest })}` : t(large, { n });
}

/** Bytes in the largest unit that keeps the figure above one. */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "–";
  const step = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const options = { style: "unit", unit: UNITS[step], unitDisplay: step ? "short" : "long" };
  return formatter("NumberFormat", { ...options, maximumSignificantDigits: 3 }).format(bytes / 1000 ** step);
}

/** A whole or rounded number with the separators of the language. */
export function number(value, digits = 0) {
  return value === null || value === undefined
    ? "–"
    : formatter("NumberFormat", { maximumFractionDigits: digits }).format(value);
}

/** Date and time to the second. */
export function moment(iso) {
  return iso ? formatter("DateTimeFormat", { dateStyle: "medium", timeStyle: "medium" }).format(new Date(iso)) : "–";
}

/** The time of day to the second. */
export function clock(iso) {
  return formatter("DateTimeFormat", { timeStyle: "medium", hour12: false }).format(new Date(iso));
}

const STEPS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** How long ago, or in how long: "3 minutes ago". */
export function ago(iso, now = Date.now()) {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  const [unit, length] = STEPS.find(([, each]) => Math.abs(seconds) >= each) ?? ["second", 1];
  return formatter("RelativeTimeFormat", { numeric: "auto" }).format(Math.trunc(seconds / length), unit);
}

/** Several things in a row, as the language puts them. */
export const listed = (values) => values.join(t("format.comma"));

/** What something does, and to what: the name of a button among many like it. */
export const about = (words, name) => `${words}${t("told.colon")}${name}`;

/** What a task is called. */
export const nameOf = (task) => task.file_name ?? task.id;

/** The name of a language in the language in use; its tag when there is none. */
export function languageName(tag) {
  try {
    return formatter("DisplayNames", { type: "language" }).of(tag);
  } catch {
    return tag; // no tag at all
  }
}
