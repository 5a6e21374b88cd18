// Questions: modal dialogs of the browser, which keep the focus, close by Escape and give the focus back.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { html } from "./html.js";
import { t } from "./words.js";

const question = signal(null);

/**
 * Ask for a yes. `title` and `body` (a text, or what is drawn) say what will happen, `action` names the button; `isDangerous` colours it.
 * Resolves to true, or to false when the person declines.
 */
export function confirm({ title, body = null, action, isDangerous = false }) {
  question.value?.resolve(false);
  return new Promise((resolve) => (question.value = { title, body, action, isDangerous, resolve }));
}

/** A modal dialog with a title; `onClose` is called when it is dismissed in any way. */
export function Dialog({ title, onClose, children, footer = null, isWide = false, name = null }) {
  const element = useRef(null);
  const pressed = useRef(null);
  useEffect(() => {
    element.current.showModal();
    return () => element.current?.close();
  }, []);
  const close = (event) => (event.preventDefault(), onClose());
  return html`
    <dialog
      ref=${element}
      class=${isWide ? "wide" : ""}
      data-name=${name}
      aria-label=${title}
      onCancel=${close}
      onPointerDown=${(event) => (pressed.current = event.target)}
      onClick=${(event) => event.target === element.current && pressed.current === element.current && onClose()}
    >
      <article>
        <header>
          <button type="button" class="icon" aria-label=${t("dialog.close")} onClick=${onClose}>×</button>
          <h2>${title}</h2>
        </header>
        ${children} ${footer && html`<footer>${footer}</footer>`}
      </article>
    </dialog>
  `;
}

/** The dialog of `confirm`, when there is a question. */
export function Question() {
  const asked = question.value;
  if (!asked) return null;
  const answer = (isYes) => {
    question.value = null;
    asked.resolve(isYes);
  };
  const footer = html`
    <button type="button" class="secondary" onClick=${() => answer(false)}>${t("dialog.no")}</button>
    <button type="button" class=${asked.isDangerous ? "danger" : ""} autofocus onClick=${() => answer(true)}>${asked.action}</button>
  `;
  return html`<${Dialog} title=${asked.title} name="question" onClose=${() => answer(false)} footer=${footer}>${typeof asked.body === "string" ? html`<p>${asked.body}</p>` : asked.body}<//>`;
}
