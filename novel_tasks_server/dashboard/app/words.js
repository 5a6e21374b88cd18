// What the page says, in the language of whoever reads it. Each part of the page brings its own words.
import { computed, effect, signal } from "@preact/signals";
import { recall, remember } from "./storage.js";

export const LANGUAGES = ["en", "zh"];

const books = { en: {}, zh: {} };

/** The chosen language: "auto", "en" or "zh". */
export const choice = signal(LANGUAGES.includes(recall("language")) ? recall("language") : "auto");

/** The language in use: "en" or "zh". */
export const language = computed(() => {
  if (choice.value !== "auto") return choice.value;
  return (navigator.languages ?? [navigator.language]).find((tag) => /^(en|zh)/.test(tag))?.slice(0, 2) ?? "en";
});

/** The language as the browser's own formatting functions want it. */
export const locale = computed(() =>
  language.value === "zh" ? "zh-CN" : navigator.language.startsWith("en") ? navigator.language : "en-GB",
);

/** Choose a language, for good. */
export function chooseLanguage(wanted) {
  choice.value = wanted;
  remember("language", wanted === "auto" ? null : wanted);
}

effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
});

/** Add the words of a part of the page: `{en: {"part.key": text}, zh: {...}}`. */
export function addWords(words) {
  for (const name of LANGUAGES) Object.assign(books[name], words[name]);
}

const plurals = { en: new Intl.PluralRules("en"), zh: new Intl.PluralRules("zh") };

/**
 * The text of a key, with `{name}` replaced by `values.name`; numbers are written as the language writes them.
 * A text may be `{one, other}`, which `values.n` decides. Reads the language signal, so what draws it is drawn again.
 */
export function t(key, values = {}) {
  const found = books[language.value][key] ?? books.en[key];
  if (found === undefined) throw new Error(`no words for ${key}`);
  const text = typeof found === "string" ? found : (found[plurals[language.value].select(values.n)] ?? found.other);
  return text.replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name];
    return typeof value === "number" ? value.toLocaleString(locale.value) : (value ?? all);
  });
}

/** Whether there are words for a key in the language in use. */
export function hasWords(key) {
  return key in books[language.value];
}
