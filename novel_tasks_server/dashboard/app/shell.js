// The frame: views, connection, settings of the page, token, messages; and the view that is open.
import { effect } from "@preact/signals";
import { Component } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asking, identity, token } from "./access.js";
import { Question, Dialog } from "./dialog.js";
import { html } from "./html.js";
import { Icon } from "./icons.js";
import { connection, versions } from "./live.js";
import { href, route } from "./router.js";
import { Messages } from "./say.js";
import { shortcuts, useShortcut } from "./shortcuts.js";
import { theme, THEMES } from "./theme.js";
import { TokenDialog } from "./token.js";
import { DropVeil } from "./uploads/drop.js";
import { Opened } from "./views.js";
import { choice, chooseLanguage, LANGUAGES, t } from "./words.js";

const NAMES = { en: "English", zh: "中文" };

/** The whole page. */
export function Shell() {
  const [helps, setHelps] = useState(false);
  useShortcut("?", "shortcuts.help", () => setHelps(true));
  useShortcut("1", "shortcuts.tasks", () => (location.hash = href("tasks")));
  useShortcut("2", "shortcuts.queue", () => (location.hash = href("queue")));
  useShortcut("3", "shortcuts.system", () => (location.hash = href("system")));
  const main = useRef(null);
  const { view, id, query } = route.value;
  const isFirst = useRef(true);
  useEffect(() => {
    if (isFirst.current) return void (isFirst.current = false);
    scrollTo(0, 0);
    main.current.focus({ preventScroll: true }); // what had the focus may be gone with the view before
  }, [view, id]);
  return html`
    <a class="skip" href="#content" onClick=${(event) => (event.preventDefault(), main.current.focus())}>${t("nav.skip")}</a>
    <${Header} onHelp=${() => setHelps(true)} />
    <main id="content" ref=${main} tabindex="-1" class="container">
      <${Upgraded} />
      <${Guard} key=${view + id}><${Opened} name=${view} id=${id} query=${query} /><//>
    </main>
    <${Messages} />
    <${DropVeil} />
    <${Question} />
    ${asking.value && html`<${TokenDialog} reason=${asking.value.reason} />`} ${helps && html`<${Keys} onClose=${() => setHelps(false)} />`}
  `;
}

function Header({ onHelp }) {
  const { view } = route.value;
  const link = (name, current) =>
    html`<li><a href=${href(name)} aria-current=${current ? "page" : undefined}>${t(`nav.${name}`)}</a></li>`;
  return html`
    <header class="top">
      <div class="container">
        <a class="brand" href=${href("tasks")}><img src=${favicon} alt="" width="26" height="26" /><span>${t("app.title")}</span></a>
        <nav aria-label=${t("nav.label")}>
          <ul>
            ${link("tasks", view === "tasks" || view === "task")} ${link("queue", view === "queue")} ${link("system", view === "system")}
          </ul>
        </nav>
        <div class="tools">
          <${Connection} />
          <button type="button" class="icon keyboard" title=${t("shortcuts.title")} aria-label=${t("shortcuts.help")} onClick=${onHelp}><${Icon} name="help" /></button>
          <${Settings} />
        </div>
      </div>
    </header>
  `;
}

const favicon = document.querySelector("link[rel=icon]").getAttribute("href");

function Connection() {
  const state = connection.value;
  return html`<span class="connection ${state}" role="status" title=${t(`connection.hint.${state}`)}>${t(`connection.${state}`)}</span>`;
}

function Upgraded() {
  const { first, now } = versions.value;
  if (first === now) return null;
  return html`
    <p class="notice" role="status">
      ${t("connection.upgraded", { version: now })} <a href="" onClick=${(event) => (event.preventDefault(), location.reload())}>${t("connection.reload")}</a>
    </p>
  `;
}

function Settings() {
  const element = useRef(null);
  useEffect(() => {
    const close = (event) => element.current.contains(event.target) || (element.current.open = false);
    const escape = (event) => {
      if (event.key !== "Escape" || !element.current.open) return;
      event.stopPropagation(); // it closes this, and nothing else
      element.current.open = false;
      element.current.firstElementChild.focus();
    };
    addEventListener("pointerdown", close);
    addEventListener("keydown", escape, true);
    return () => (removeEventListener("pointerdown", close), removeEventListener("keydown", escape, true));
  }, []);
  const pick = (set) => (event) => set(event.target.value);
  const owner = token.value && identity.value?.owner;
  const isOpen = !token.value && connection.value !== "locked";
  return html`
    <details class="settings" ref=${element}>
      <summary class="icon" aria-label=${t("settings.label")} title=${t("settings.label")}><${Icon} name="gear" /></summary>
      <div class="sheet">
        <label>
          ${t("theme.label")}
          <select value=${theme.value} onChange=${pick((name) => (theme.value = name))}>
            ${THEMES.map((name) => html`<option key=${name} value=${name}>${t(`theme.${name}`)}</option>`)}
          </select>
        </label>
        <label>
          ${t("language.label")}
          <select value=${choice.value} onChange=${pick(chooseLanguage)}>
            <option value="auto">${t("language.auto")}</option>
            ${LANGUAGES.map((name) => html`<option key=${name} value=${name} lang=${name}>${NAMES[name]}</option>`)}
          </select>
        </label>
        ${owner && html`<p class="quiet">${t("access.as", { owner })}</p>`} ${isOpen && html`<p class="quiet">${t("access.open")}</p>`}
        <button type="button" class="secondary small" onClick=${() => ((element.current.open = false), (asking.value = { reason: "change" }))}>
          <${Icon} name="key" /> ${t("access.label")}
        </button>
        <p class="quiet"><a href="api/docs">${t("nav.api")}</a></p>
      </div>
    </details>
  `;
}

function Keys({ onClose }) {
  return html`
    <${Dialog} title=${t("shortcuts.title")} onClose=${onClose}>
      <dl class="keys">
        ${shortcuts().map(([key, words]) => html`<div key=${key}><dt><kbd>${key === " " ? "Space" : key}</kbd></dt><dd>${t(words)}</dd></div>`)}
      </dl>
    <//>
  `;
}

/** Keeps the rest of the page alive when a view fails, and says so. */
class Guard extends Component {
  constructor() {
    super();
    this.state = { error: null };
  }

  componentDidCatch(error) {
    console.error(error);
    this.setState({ error });
  }

  render({ children }, { error }) {
    if (!error) return children;
    return html`
      <section class="failure" role="alert">
        <h1>${t("error.title")}</h1>
        <p lang="en">${String(error.message ?? error)}</p>
        <button type="button" onClick=${() => this.setState({ error: null })}>${t("error.again")}</button>
      </section>
    `;
  }
}

effect(() => {
  if (route.value.view === "task") return; // the view knows more
  document.title =
    route.value.view === "tasks" ? t("app.title") : `${t(`nav.${route.value.view}`)} · ${t("app.title")}`;
});
