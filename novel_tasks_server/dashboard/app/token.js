// The question for the token.
import { useState } from "preact/hooks";
import { declineToken, isRemembered, token, useToken } from "./access.js";
import { Dialog } from "./dialog.js";
import { html } from "./html.js";
import { checked } from "./validity.js";
import { t } from "./words.js";

/** What is shown belongs to whoever gave the token: it goes too. */
function forget() {
  useToken(null);
  location.reload();
}

/** Ask for a token; `reason` is "needed", "refused", "expired" or "change". */
export function TokenDialog({ reason }) {
  const [text, setText] = useState("");
  const [isShown, show] = useState(false);
  const [isKept, keep] = useState(isRemembered());
  const use = (event) => {
    event.preventDefault();
    if (text.trim()) useToken(text.trim(), { isRemembered: isKept });
  };
  return html`
    <${Dialog} title=${t("access.title")} name="token" onClose=${declineToken}>
      <form onSubmit=${use}>
        <p role=${reason === "refused" || reason === "expired" ? "alert" : undefined}>
          ${t(`access.${reason}`)} ${reason === "needed" && html`<code>novel-tasks token create --owner NAME --scopes tasks:read,tasks:write</code>`}
        </p>
        <label>
          ${t("access.field")}
          <input type=${isShown ? "text" : "password"} autocomplete="off" spellcheck=${false} autofocus required placeholder="nt_…" value=${text} ...${checked(setText)} />
        </label>
        <label><input type="checkbox" checked=${isShown} onChange=${() => show(!isShown)} /> ${t("access.show")}</label>
        <label><input type="checkbox" checked=${isKept} aria-describedby="token-kept" onChange=${() => keep(!isKept)} /> ${t("access.remember")}</label>
        <p class="quiet hint" id="token-kept">${t("access.remember.hint")}</p>
        <footer>
          ${
            token.value
              ? html`<button type="button" class="secondary" onClick=${forget}>${t("access.forget")}</button>`
              : html`<button type="button" class="secondary" onClick=${declineToken}>${t("access.later")}</button>`
          }
          <button type="submit">${t("access.use")}</button>
        </footer>
      </form>
    <//>
  `;
}
