// The list as it is drawn: only the rows in sight are there, however long it is; the page scrolls as if all were.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { html } from "../html.js";
import { watchSize } from "../resizing.js";
import { useShortcut } from "../shortcuts.js";
import { t } from "../words.js";
import { Row } from "./row.js";

const SPARE = 8; // rows drawn beyond the sight at either end
const AHEAD = 40; // rows loaded beyond it
const MOST_PX = 15_000_000; // the height that all browsers draw
const NARROW = matchMedia("(max-width: 48rem)");

function rowHeight() {
  const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
  return Math.round(rem * (NARROW.matches ? 6.75 : 4.25));
}

/** The rows of a list. `edge` tells how far down the page what is above them reaches when it sticks to the top. */
export function Rows({ list, edge, now, onMenu, isOld }) {
  const element = useRef(null);
  const [height, setHeight] = useState(rowHeight);
  const [shown, setShown] = useState({ from: 0, to: 24 });
  const { rows } = list;
  list.drawn.value; // draw again when it changes
  const most = Math.floor(MOST_PX / height);
  const length = Math.min(rows.ids.length, most);

  const returning = useReturn(list, element, edge);
  const place = useRef({ begin: 0, edge: 0, scrolled: 0 });
  const measure = () => {
    if (returning.current) return;
    const top = place.current.begin - place.current.scrolled - place.current.edge;
    const first = Math.min(Math.max(0, Math.floor(-top / height)), Math.max(0, length - 1));
    const end = first + Math.max(0, Math.ceil((innerHeight - Math.max(0, top)) / height)) + 1;
    const isTop = top > -height / 2;
    list.scrolled = isTop ? null : -top;
    const from = Math.max(0, (first & ~3) - SPARE);
    const to = Math.min(length, (end | 3) + SPARE);
    if (from !== shown.from || to !== shown.to) setShown({ from, to });
    const { view } = list;
    const wanted = { from: first - AHEAD, to: Math.min(length, end + AHEAD), first, isTop };
    if (view.first === first && view.isTop === isTop && view.to === wanted.to && rows.firstHole(view.from, view.to) < 0)
      return;
    list.look(wanted);
  };

  const latest = useRef(measure);
  latest.current = measure;
  usePlace(element, edge, place, latest);
  useLayoutEffect(() => {
    if (list.moved) {
      scrollBy(0, list.moved * height);
      place.current.scrolled = scrollY;
    }
    list.moved = 0;
    measure();
  });
  useEffect(() => {
    const changed = () => setHeight(rowHeight());
    NARROW.addEventListener("change", changed);
    return () => NARROW.removeEventListener("change", changed);
  }, []);
  const keys = useKeys(list, element, height, length, edge);

  const places = [];
  for (let index = shown.from; index < Math.min(shown.to, length); index++) places.push(index);
  const kept = list.active.value === null ? -1 : rows.ids.indexOf(list.active.value);
  if (kept >= 0 && kept < shown.from) places.unshift(kept); // what has the focus must not go
  if (kept >= 0 && kept >= shown.to && kept < length) places.push(kept);
  const row = (index) => {
    const shape = { list, task: rows.at(index), index, count: rows.ids.length, top: index * height, now, onMenu };
    return html`<${Row} key=${rows.ids[index] ?? index} ...${shape} />`;
  };
  const style = { height: `${length * height}px`, "--row": `${height}px` };
  return html`
    <ul class="tasks ${isOld ? "old" : ""}" role="list" aria-label=${t("tasks.title")} ref=${element} style=${style} ...${keys}>
      ${places.map(row)}
    </ul>
    ${rows.ids.length > most && html`<p class="quiet">${t("tasks.cut", { n: most })}</p>`}
  `;
}

// Where the rows begin on the page and how far it is scrolled. To ask makes the browser lay everything out, so it is
// asked only when that may have changed: when the page is scrolled, and when it becomes higher or wider.
function usePlace(element, edge, place, measure) {
  useLayoutEffect(() => {
    const scroll = () => {
      place.current.scrolled = scrollY;
      measure.current();
    };
    const look = () => {
      place.current = { begin: element.current.getBoundingClientRect().top + scrollY, edge: edge(), scrolled: scrollY };
      measure.current();
    };
    const unwatch = watchSize(document.querySelector("main"), look);
    addEventListener("scroll", scroll, { passive: true });
    addEventListener("resize", look, { passive: true });
    look();
    return () => (unwatch(), removeEventListener("scroll", scroll), removeEventListener("resize", look));
  }, []);
}

// Back from a task, the list stands where it stood. After the frame has gone to its top, hence the next frame.
function useReturn(list, element, edge) {
  const returning = useRef(list.scrolled !== null);
  useEffect(() => {
    const { scrolled } = list;
    if (!returning.current) return undefined;
    const frame = requestAnimationFrame(() => {
      returning.current = false;
      scrollTo(0, scrollY + element.current.getBoundingClientRect().top - edge() + scrolled);
      if (list.active.value)
        linkAt(element.current, list.rows.ids.indexOf(list.active.value))?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  return returning;
}

const linkAt = (element, place) => element.querySelector(`[data-place="${place}"] a.name`);

// j and k anywhere; arrows, Home and End within the list; x chooses. Enter opens: the link of the row has the focus.
function useKeys(list, element, height, length, edge) {
  const wanted = useRef(null);
  const goTo = (place) => {
    if (length === 0) return;
    const index = Math.min(Math.max(0, place), length - 1);
    wanted.current = index;
    list.active.value = list.rows.ids[index];
    const top = element.current.getBoundingClientRect().top + index * height;
    const above = edge();
    if (top < above) scrollBy(0, top - above);
    else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight + 8);
    list.draw();
  };
  useLayoutEffect(() => {
    const place = wanted.current ?? list.focusPlace;
    if (place === null) return;
    const link = linkAt(element.current, Math.min(place, length - 1));
    if (!link) return; // not loaded yet
    wanted.current = null;
    list.focusPlace = null;
    link.focus({ preventScroll: true });
  });
  const step = (by) => {
    const here = list.active.value === null ? -1 : list.rows.ids.indexOf(list.active.value);
    goTo(here < 0 ? list.view.first : here + by);
  };
  const choose = () => {
    const here = list.rows.ids.indexOf(list.active.value);
    if (list.active.value !== null && here >= 0) list.selection.toggle(list.rows, here);
  };
  useShortcut("j", "tasks.keys.next", () => step(1));
  useShortcut("k", "tasks.keys.previous", () => step(-1));
  useShortcut("x", "tasks.keys.choose", choose);
  const doings = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Home: () => goTo(0),
    End: () => goTo(length - 1),
  };
  return {
    onKeyDown: (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(doings, event.key)) return;
      event.preventDefault();
      doings[event.key]();
    },
    onFocusIn: (event) => {
      const place = Number(event.target.closest("[data-place]")?.dataset.place);
      if (list.rows.ids[place]) list.active.value = list.rows.ids[place];
    },
  };
}
