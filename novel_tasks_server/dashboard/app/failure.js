// A part that could not be loaded: what happened, and a way to try again. The rest of the page stays.
import { asking } from "./access.js";
import { html } from "./html.js";
import { Refusal } from "./told.js";
import { t } from "./words.js";

const ask = () => (asking.value = { reason: "needed" });

/** Says a Problem; `onRetry` is called by the button. With `isOld`, what is shown beside it is from before. */
export function Failure({ problem, onRetry, isOld = false }) {
  return html`
    <div class="notice bad with-button" role="alert">
      <p><${Refusal} problem=${problem} />${isOld && html`<br /><small>${t("error.old")}</small>`}</p>
      ${
        problem.status === 401
          ? html`<button type="button" class="secondary small" onClick=${ask}>${t("access.give")}</button>`
          : html`<button type="button" class="secondary small" onClick=${onRetry}>${t("error.again")}</button>`
      }
    </div>
  `;
}
