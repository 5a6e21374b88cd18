// The log of the task: lines as they come, followed until the person scrolls up, filtered by level and by a text.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { number } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { watchSize } from "../resizing.js";
import { useShortcut } from "../shortcuts.js";
import { sayProblem } from "../told.js";
import { t } from "../words.js";
import { IconButton } from "./button.js";
import { copy } from "./copy.js";
import { LEVELS } from "./log-store.js";
import { Chunk } from "./line.js";
import { Selection, visible } from "./lines.js";

const OVERSCAN = 600;
const NEAR = 12;
const LINE_HEIGHT = 24;

/** The log; `store` is a LogStore, `name` names files made of it, `since` is when the task came; more comes while it `isLive`. */
export function Log({ store, name, since, isLive }) {
  const [level, setLevel] = useState("debug");
  const [text, setText] = useState("");
  const [isRelative, setRelative] = useState(false);
  const [unseen, setUnseen] = useState(0);
  const [follows, setFollows] = useState(true);
  const selection = useMemo(() => new Selection(level, text), [level, text]);
  const search = useRef(null);
  const lines = useRef(null);
  useShortcut("/", "task.keys.search", () => search.current?.focus());
  useShortcut("f", "task.keys.follow", () => follow(!follows));
  const follow = (isOn) => {
    store.isPaused = !isOn;
    setFollows(isOn);
    if (isOn) setUnseen(0);
  };
  const escape = (event) => event.key === "Escape" && (setText(""), event.stopPropagation());
  return html`
    <section class="card log" aria-labelledby="log">
      <h2 id="log">${t("task.log")}</h2>
      <div class="bar">
        <fieldset class="levels">
          <legend class="unseen">${t("task.log.level")}</legend>
          ${LEVELS.map(
            (one) => html`
            <label key=${one} class=${level === one ? "chosen" : ""}>
              <input type="radio" name="level" class="unseen" checked=${level === one} onChange=${() => (setLevel(one), follow(true))} /> ${t(`task.log.level.${one}`)}
            </label>
          `,
          )}
        </fieldset>
        <input
          ref=${search}
          type="search"
          placeholder=${t("task.log.search")}
          aria-label=${t("task.log.search")}
          value=${text}
          onInput=${(event) => (setText(event.target.value), follow(true))}
          onKeyDown=${escape}
        />
        <div class="tools">
          ${
            isLive &&
            html`
            <button type="button" class="secondary small" onClick=${() => follow(!follows)}>
              <${Icon} name=${follows ? "pause" : "play"} /> ${t(follows ? "task.log.pause" : "task.log.follow")}
            </button>
          `
          }
          <${IconButton} icon="clock" label=${t("task.log.relative")} aria-pressed=${isRelative} onClick=${() => setRelative(!isRelative)} />
          <${IconButton} icon="copy" label=${t("task.log.copy")} onClick=${() => copy(written(selection.shown))} />
          <${Save} store=${store} level=${level} name=${name} />
        </div>
      </div>
      <${Lines} key=${`${level} ${text}`} ...${{ store, selection, follows, unseen, since, isRelative, follow }} onNew=${(count) => setUnseen((old) => old + count)} box=${lines} />
    </section>
  `;
}

function Lines({ store, selection, follows, unseen, since, isRelative, follow, onNew, box }) {
  const version = store.version.value;
  const [, draw] = useState(0);
  const [range, setRange] = useState({ top: 0, bottom: 2000 });
  const grown = useMemo(() => selection.update(store.lines, store.from(selection.level)), [version, selection]);
  const chunks = selection.chunks(LINE_HEIGHT);
  const end = follows ? totalOf(chunks) : null;
  const shown = follows
    ? visible(chunks, end - (box.current?.clientHeight ?? 400) - OVERSCAN, end + 1)
    : visible(chunks, range.top, range.bottom);
  const pad = useRef({ isOurs: false });
  useEffect(() => {
    if (!follows && grown.newer) onNew(grown.newer);
  }, [grown]);
  useLayoutEffect(() => {
    if (grown.older && !follows) box.current.scrollTop += heightOf(chunks, grown.older);
  }, [grown]);
  useLayoutEffect(() => {
    let isChanged = false;
    for (const element of box.current.querySelectorAll("[data-chunk]")) {
      isChanged =
        selection.measured(Number(element.dataset.chunk), element.childElementCount, element.offsetHeight) || isChanged;
    }
    if (follows) {
      pad.current.isOurs = true;
      box.current.scrollTop = box.current.scrollHeight;
    }
    if (isChanged && !follows) draw((count) => count + 1);
  });
  useEffect(() => watchSize(box.current, () => (selection.heights.clear(), draw((count) => count + 1))), [selection]);
  const older = () => store.loadOlder(selection.level).catch(tell);
  const scrolled = () => {
    const { scrollTop, clientHeight, scrollHeight } = box.current;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    setRange({ top: scrollTop - OVERSCAN, bottom: scrollTop + clientHeight + OVERSCAN });
    if (pad.current.isOurs && isAtEnd) {
      pad.current.isOurs = false;
      return;
    }
    if (isAtEnd !== follows) follow(isAtEnd);
    if (scrollTop < 200 && !isAtEnd && store.hasOlder(selection.level)) older();
  };
  return html`
    <div class="lines" role="log" aria-live="off" aria-label=${t("task.log")} tabindex="0" ref=${box} onScroll=${scrolled}>
      ${
        store.hasOlder(selection.level) &&
        html`
        <p class="older">
          <button type="button" class="secondary small" disabled=${store.isLoading.value} onClick=${() => (follow(false), older())}>
            ${t(store.isLoading.value ? "task.log.loading" : "task.log.older")}
          </button>
        </p>
      `
      }
      ${selection.shown.length === 0 && html`<p class="quiet">${t(store.lines.length ? "task.log.none" : "task.log.empty")}</p>`}
      <div style=${{ height: `${shown.before}px` }}></div>
      ${shown.drawn.map(
        ({ number: chunk, from, to }) => html`
        <div key=${chunk} data-chunk=${chunk}><${Chunk} lines=${selection.shown.slice(from, to)} text=${selection.text} since=${isRelative ? since : null} /></div>
      `,
      )}
      <div style=${{ height: `${shown.after}px` }}></div>
    </div>
    <p class="foot quiet">
      <span class="number">${t("task.log.count", { n: selection.shown.length })}</span>
      ${
        unseen > 0 &&
        !follows &&
        html`<button type="button" class="small" onClick=${() => follow(true)}><${Icon} name="down" /> ${t("task.log.new", { n: unseen })}</button>`
      }
    </p>
  `;
}

/** Say what went wrong, unless it is that the person has left. */
function tell(problem) {
  if (problem.name === "AbortError") return;
  if (problem.name !== "Problem") throw problem;
  sayProblem(problem);
}

const totalOf = (chunks) => chunks.reduce((sum, { height }) => sum + height, 0);

/** How high the first lines are together. */
function heightOf(chunks, count) {
  let sum = 0;
  for (const { from, to, height } of chunks)
    if (from < count) sum += (height * (Math.min(to, count) - from)) / (to - from);
  return sum;
}

/** Lines as text, one for each entry. */
export function written(lines) {
  return lines.map(({ at, level, message }) => `${at}  ${level.toUpperCase().padEnd(7)}  ${message}\n`).join("");
}

function Save({ store, level, name }) {
  const [count, setCount] = useState(null);
  const save = async () => {
    setCount(0);
    try {
      const lines = await store.all(level, setCount);
      const anchor = document.createElement("a");
      anchor.href = URL.createObjectURL(new Blob([written(lines)], { type: "text/plain;charset=utf-8" }));
      anchor.download = `${name}.log`;
      anchor.click();
      setTimeout(() => URL.revokeObjectURL(anchor.href), 60_000);
    } catch (problem) {
      tell(problem);
    } finally {
      setCount(null);
    }
  };
  return html`
    <${IconButton} icon="download" label=${t("task.log.save")} disabled=${count !== null} onClick=${save} />
    ${count > 0 && html`<span class="quiet number" role="status">${number(count)}</span>`}
  `;
}
