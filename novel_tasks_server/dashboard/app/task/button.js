// A button that is only a picture; its name is there for whoever points at it or cannot see it.
import { html } from "../html.js";
import { Icon } from "../icons.js";

/** The button with the picture `icon`, called `label`; all else goes to the button itself. */
export function IconButton({ icon, label, kind = "icon", ...rest }) {
  return html`<button type="button" class=${kind} title=${label} aria-label=${label} ...${rest}><${Icon} name=${icon} /></button>`;
}
