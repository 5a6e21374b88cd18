// What the browser remembers of a person's choices. Where it may not (private windows, full disks), the page forgets.

const PREFIX = "novel-tasks.";

/** The remembered text of this name, or null. `kept` is `localStorage` or, for one window only, `sessionStorage`. */
export function recall(name, kept = "localStorage") {
  try {
    return window[kept].getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** Remember `text` under this name; null forgets. */
export function remember(name, text, kept = "localStorage") {
  try {
    if (text === null) window[kept].removeItem(PREFIX + name);
    else window[kept].setItem(PREFIX + name, text);
  } catch {
    // Not remembered: the choice holds until the page is closed.
  }
}
