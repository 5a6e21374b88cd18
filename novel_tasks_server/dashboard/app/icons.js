// Small pictures, drawn in the colour of the text. They say nothing to screen readers: names stand beside them.
import { html } from "./html.js";

const PATHS = {
  sun: "M12 4V2m0 20v-2m8-8h2M2 12h2m13.700-5.700 1.400-1.400M4.900 19.100l1.400-1.400m0-11.400L4.900 4.900m14.200 14.200-1.400-1.400M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500",
  key: "M14.500 9.500 21 3m-3 3 2 2m-4.500.5A4.500 4.500 0 1 1 9 11a4.500 4.500 0 0 1 5.500-1.500M8 15h.01",
  gear: "M4 7h9m4 0h3M4 17h3m4 0h9M15 5v4M9 15v4",
  help: "M9.500 9a2.500 2.500 0 1 1 3.500 2.300c-.7.4-1 .9-1 1.700m0 3.500v.01M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0",
  file: "M14 3H6v18h12V7zm0 0v4h4",
  upload: "M12 16V4m-5 5 5-5 5 5M4 20h16",
  download: "M12 4v12m-5-5 5 5 5-5M4 20h16",
  search: "M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13m4.700-1.800L20 20",
  retry: "M4 12a8 8 0 1 0 2.500-5.800L4 8.500M4 4v4.500h4.500",
  stop: "M7 7h10v10H7z",
  trash: "M4 7h16M9 7V4h6v3m-8 0 1 13h8l1-13",
  up: "M12 19V5m-6 6 6-6 6 6",
  down: "M12 5v14m6-6-6 6-6-6",
  pause: "M8 5v14M16 5v14",
  play: "M7 5l12 7-12 7z",
  check: "M5 13l4.500 4.500L19 7",
  warning: "M12 4 2.500 20h19zm0 6v5m0 2.500v.01",
  cross: "M6 6l12 12M18 6 6 18",
  clock: "M12 7v5l3 2m6-2a9 9 0 1 1-18 0 9 9 0 0 1 18 0",
  open: "M14 4h6v6m0-6-9 9M18 14v6H4V6h6",
  left: "M15 5l-7 7 7 7",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  full: "M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5",
  funnel: "M4 5h16l-6 8v6l-4-2v-4z",
  more: "M5 11.500v1m7-1v1m7-1v1",
};

/** The picture of this name. */
export function Icon({ name }) {
  return html`<svg class="picture" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}
