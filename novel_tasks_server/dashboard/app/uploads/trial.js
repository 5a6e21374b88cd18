// Trying a chapter rule out on a file before anything is uploaded: what the server finds, as the rule is typed.
import { computed, effect, signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { API, pause, send } from "../api.js";
import { languageName, number, size, SURE } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { Foreign, Refusal } from "../told.js";
import { t } from "../words.js";
import { catalogue } from "./catalogue.js";
import { faults, options, refusedFields } from "./choices.js";
import { isReadable, refusalOf } from "./files.js";
import { uploads } from "./queue.js";
import { refusalText } from "./texts.js";

const LOOKED_AT = 2 * 1024 * 1024;
const TYPING_SECONDS = 0.4;

const isOpen = signal(false);

/** The file on which the rule is tried, null for none. */
export const sample = signal(null);

const state = signal({ kind: "idle" });

/** What draws the reason for the chapters in the language of the page; null until it is needed and here. */
const because = signal(null);

effect(() => {
  if (isOpen.value) import("../reasons.js").then(({ Because }) => (because.value = Because)).catch(() => {}); // as it came
});

/** What is asked: of which file, with which options. Null while it cannot be asked. */
const asked = computed(() => {
  if (!isOpen.value || !sample.value || faults.value.has("/chapter_rule") || faults.value.has("/encoding")) return null;
  const { chapter_rule, encoding } = options.value;
  return { file: sample.value, options: JSON.stringify({ chapter_rule, encoding }) };
});

let running = null;
let last = null;

effect(() => {
  const question = asked.value;
  if (question?.file === last?.file && question?.options === last?.options) return;
  const isTyped = question?.file === last?.file;
  last = question;
  running?.abort();
  running = null;
  if (question === null) {
    state.value = { kind: "idle" };
    return;
  }
  running = new AbortController();
  look(question, running.signal, isTyped ? TYPING_SECONDS : 0);
});

async function look({ file, options: wanted }, aborted, seconds) {
  try {
    await pause(seconds, aborted);
    state.value = { kind: "looking", found: state.peek().found };
    for (;;) {
      const problem = await ask(file, wanted, aborted);
      if (!problem) return;
      state.value = { kind: "failed", problem };
      if (!problem.isPassing) return;
      await pause(problem.retryAfter ?? 3, aborted);
    }
  } catch (error) {
    if (error.name !== "AbortError") state.value = { kind: "failed", problem: error };
  }
}

async function ask(file, wanted, aborted) {
  if (!(await isReadable(file))) {
    state.value = { kind: "gone" };
    return null;
  }
  const form = new FormData();
  form.append("options", wanted);
  form.append("file", file.slice(0, LOOKED_AT), file.name);
  try {
    const answer = await send("POST", `${API}/chapters/preview`, { body: form, signal: aborted, waits: false });
    state.value = { kind: "found", found: await answer.json(), isPart: file.size > LOOKED_AT };
    return null;
  } catch (problem) {
    if (problem.name !== "Problem") throw problem;
    const wrong = problem.errors.find(({ pointer }) => /^\/options\/(chapter_rule|encoding)$/.test(pointer));
    if (!wrong) return problem;
    refusedFields.value = { ...refusedFields.peek(), [wrong.pointer]: wrong };
    state.value = { kind: "idle" };
    return null;
  }
}

/** Open the trial with this file. */
export function tryOn(file) {
  sample.value = file;
  isOpen.value = true;
}

/** The button below the field of the rule, and what is found. */
export function RuleTrial() {
  useEffect(() => () => (isOpen.value = false), []); // whoever has left looks at nothing
  const open = () => {
    isOpen.value = !isOpen.value;
    if (isOpen.value && !sample.value)
      sample.value = uploads.value.findLast(({ file }) => !refusalOf(file, catalogue.value.meta))?.file ?? null;
  };
  return html`
    <div class="trial" data-takes="sample">
      <button type="button" class="secondary small" aria-expanded=${String(isOpen.value)} onClick=${open}><${Icon} name="search" /> ${t("trial.try")}</button>
      ${isOpen.value && html`<${Trial} />`}
    </div>
  `;
}

function Trial() {
  const file = sample.value;
  const refusal = file && refusalOf(file, catalogue.value.meta);
  const choose = (event) => {
    if (event.target.files[0]) sample.value = event.target.files[0];
    event.target.value = "";
  };
  return html`
    <div class="trial-body">
      <p class="trial-file">
        <span class="name" title=${file?.name}>${file ? t("trial.on", { name: file.name }) : t("trial.none")}</span>
        <label class="button secondary small">
          ${file ? t("trial.other") : t("trial.choose")}<input type="file" class="unseen" accept=${catalogue.value.meta.allowed_extensions.join(",")} onChange=${choose} />
        </label>
      </p>
      ${refusal && refusal.key !== "uploads.refused.size" ? html`<p class="bad" role="alert">${refusalText(refusal)}</p>` : html`<${Result} />`}
    </div>
  `;
}

function Result() {
  const { kind, found, problem, isPart } = state.value;
  const isSlow = useSlowly(kind === "looking");
  return html`
    <div aria-live="polite" aria-busy=${String(kind === "looking")} class=${kind === "looking" ? "old" : ""}>
      ${kind === "gone" && html`<p class="bad">${t("uploads.refused.gone")}</p>`} ${kind === "failed" && html`<p class="bad"><${Refusal} problem=${problem} /></p>`}
      ${isSlow && html`<p class="quiet">${t("trial.looking")}</p>`} ${found && html`<${Found} found=${found} isPart=${isPart} />`}
    </div>
  `;
}

/** Whether something has been going on so long that it should be said. */
function useSlowly(isOn) {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    if (!isOn) return setSlow(false);
    const timer = setTimeout(() => setSlow(true), 200);
    return () => clearTimeout(timer);
  }, [isOn]);
  return isSlow;
}

function Found({ found, isPart }) {
  const percent = (share) => `${number(share * 100)}%`;
  const language = languageName(found.language);
  const sure = found.confidence >= SURE ? "sure" : "unsure";
  return html`
    <p class="facts">
      <strong>${t("trial.chapters", { n: found.chapters })}</strong>
      <span class="sureness ${sure}">${t(`trial.${sure}`, { share: percent(found.confidence) })}</span>
      <span>${t("trial.encoding", { encoding: found.encoding, share: percent(found.encoding_confidence) })}</span> <span>${language}</span>
    </p>
    <p class="quiet">
      ${because.value ? html`<${because.value} reason=${found.reason} />` : html`<${Foreign} text=${found.reason} />`}${isPart && ` · ${t("trial.part", { bytes: size(LOOKED_AT) })}`}${found.repaired_bytes > 3 ? ` · ${t("trial.damaged", { n: found.repaired_bytes })}` : ""}
    </p>
    ${
      found.headings.length > 0 &&
      html`
      <ol class="headings" tabindex="0" aria-label=${t("trial.headings")}>
        ${found.headings.map(
          ({ title, line, level, characters }) => html`
            <li key=${line} data-level=${level}><span class="name">${title}</span> <span class="quiet number">${t("trial.place", { line, n: characters })}</span></li>
          `,
        )}
      </ol>
    `
    }
    ${found.headings_total > found.headings.length && html`<p class="quiet">${t("trial.rest", { n: found.headings_total - found.headings.length })}</p>`}
  `;
}
