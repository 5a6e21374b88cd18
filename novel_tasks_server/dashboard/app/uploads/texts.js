// What is said of an upload, of why it was refused, and of all of them together.
import { listed, size } from "../format.js";
import { html } from "../html.js";
import { Refusal } from "../told.js";
import { t } from "../words.js";

/** The words of a refusal as `refusalOf` and `afterFailure` tell it. */
export function refusalText({ key, allowed = [], bytes, limit, ...values }) {
  return t(key, { ...values, allowed: listed(allowed), bytes: size(bytes), limit: size(limit) });
}

/** Why an upload was refused or failed, drawn. */
export function faultOfUpload({ refusal, problem }) {
  return refusal ? refusalText(refusal) : html`<${Refusal} problem=${problem} />`;
}

const PARTS = ["done", "known", "refused", "failed", "cancelled"];

/** "12 taken in, 2 were there already, 1 refused"; "" when nothing is settled. */
export function settledText(counts) {
  return PARTS.filter((name) => counts[name])
    .map((name) => t(`uploads.count.${name}`, { n: counts[name] }))
    .join(t("uploads.and"));
}
