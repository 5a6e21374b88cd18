// Templates: what htm makes of them is what Preact draws. Nothing is ever set as HTML, so user text stays text.
import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);
