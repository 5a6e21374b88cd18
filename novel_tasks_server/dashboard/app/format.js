// Figures and times as people read them, in the language in use.
import { locale, t } from "./words.js";

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
  return new Intl.NumberFormat(locale.value, { ...options, maximumSignificantDigits: 3 }).format(bytes / 1000 ** step);
}

/** A whole or rounded number with the separators of the language. */
export function number(value, digits = 0) {
  return value === null || value === undefined ? "–" : value.toLocaleString(locale.value, { maximumFractionDigits: digits });
}

/** Date and time to the second. */
export function moment(iso) {
  return iso ? new Date(iso).toLocaleString(locale.value, { dateStyle: "medium", timeStyle: "medium" }) : "–";
}

/** The time of day to the second. */
export function clock(iso) {
  return new Date(iso).toLocaleTimeString(locale.value, { hour12: false });
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
  return new Intl.RelativeTimeFormat(locale.value, { numeric: "auto" }).format(Math.trunc(seconds / length), unit);
}
