// How the service is set; secrets are never sent here.
import { useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../words.js";

/** A table of settings, to be searched. */
export function Settings({ settings }) {
  const [wanted, setWanted] = useState("");
  const [isChanged, setChanged] = useState(false);
  const needle = wanted.trim().toLowerCase();
  const found = settings.filter((each) => each.name.toLowerCase().includes(needle) && !(isChanged && each.is_default));
  return html`
    <section class="card" aria-labelledby="settings-title">
      <h2 id="settings-title">${t("system.settings")}</h2>
      <div class="choices">
        <input type="search" aria-label=${t("system.settings.filter")} placeholder=${t("system.settings.filter")} value=${wanted} onInput=${(event) => setWanted(event.target.value)} />
        <label><input type="checkbox" checked=${isChanged} onChange=${() => setChanged(!isChanged)} /> ${t("system.settings.changed")}</label>
      </div>
      ${
        found.length === 0
          ? html`<p class="quiet">${t("system.settings.none")}</p>`
          : html`
            <table class="rows settings-table">
              <thead><tr><th scope="col">${t("system.settings.name")}</th><th scope="col">${t("system.settings.value")}</th></tr></thead>
              <tbody>
                ${found.map(
                  (each) => html`
                    <tr key=${each.name}>
                      <th scope="row"><code>${each.name}</code></th>
                      <td>${shown(each)} ${!each.is_default && html`<span class="status processing">${t("system.settings.changed.mark")}</span>`}</td>
                    </tr>
                  `,
                )}
              </tbody>
            </table>
          `
      }
    </section>
  `;
}

function shown({ value, is_secret: isSecret, is_default: isDefault }) {
  if (isSecret && value === null)
    return html`<em class="quiet">${t(isDefault ? "system.settings.unset" : "system.settings.set")}</em>`;
  const text = Array.isArray(value) ? value.join(", ") : String(value ?? "");
  return text ? html`<code>${text}</code>` : html`<em class="quiet">${t("system.settings.unset")}</em>`;
}
