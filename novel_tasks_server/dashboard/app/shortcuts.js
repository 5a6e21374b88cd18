// Keys. None of them works while the person types into a field, or in a dialog.
import { useEffect } from "preact/hooks";

const known = new Map();

function isTyping(target) {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(checkbox|radio|button)$/.test(target.type ?? "")))
  );
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const found = known.get(event.key);
  if (!found) return;
  event.preventDefault();
  found.at(-1).run(event);
});

/** While the component is there, `key` (as KeyboardEvent.key has it) runs `run`; `words` is the key of what it does. */
export function useShortcut(key, words, run) {
  useEffect(() => {
    const entry = { words, run };
    known.set(key, [...(known.get(key) ?? []), entry]);
    return () => {
      const rest = known.get(key).filter((other) => other !== entry);
      if (rest.length) known.set(key, rest);
      else known.delete(key);
    };
  });
}

/** All keys that do something now: `[key, words]`. */
export function shortcuts() {
  return [...known].map(([key, entries]) => [key, entries.at(-1).words]);
}
