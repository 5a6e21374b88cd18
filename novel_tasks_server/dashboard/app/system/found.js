// What checks and health found, and what mends it: in the words of the page, in English in those of the server.
import { html } from "../html.js";
import { Foreign, plain } from "../told.js";
import { hasWords, language, t } from "../words.js";

/** What a code says, with the reason that came with it; without words of our own, the sentence that came. */
export function Condition({ condition: { code, text, values } }) {
  if (!hasWords(`found.${code}`)) return html`<${Foreign} text=${text} />`;
  const words = t(`found.${code}`, values);
  return values.reason ? html`${words}${t("told.colon")}<${Foreign} text=${values.reason} />` : words;
}

/** What a check is called: the optional parts have one each. */
export function titleOf({ name }) {
  const [kind, ...rest] = name.split(" ");
  const key = `check.${name.replaceAll(" ", "-")}`;
  if (hasWords(key)) return t(key);
  return hasWords(`check.${kind}`) && rest.length ? `${t(`check.${kind}`)} ${rest.join(" ")}` : name;
}

/** What a check found, one after the other; in English as the server tells it. */
export function Found({ check: { detail, conditions } }) {
  if (language.value === "en" || !conditions.length) return html`<${Foreign} text=${detail} />`;
  return conditions.map(
    (one, place) => html`${place > 0 && t("system.semicolon")}<${Condition} key=${place} condition=${one} />`,
  );
}

/** What mends it: what belongs to each thing that was found, once. */
export function Advice({ check: { advice, conditions } }) {
  const known = conditions.filter(({ code }) => hasWords(`mend.${code}`));
  if (!conditions.length || known.length < conditions.length) return html`<${Foreign} text=${advice} />`;
  return [...new Set(known.map(({ code, values }) => t(`mend.${code}`, plain(values))))].join(t("system.semicolon"));
}
