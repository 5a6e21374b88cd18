// What a component needs from the server before it can draw itself.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { t } from "../words.js";

/** `{value, problem, again}` of what `load(signal)` resolves to; loaded anew when one of `inputs` changes. */
export function useLoaded(load, inputs) {
  const [state, setState] = useState({ value: null, problem: null });
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const ended = new AbortController();
    setState({ value: null, problem: null });
    load(ended.signal).then(
      (value) => ended.signal.aborted || setState({ value, problem: null }),
      (problem) => ended.signal.aborted || setState({ value: null, problem }),
    );
    return () => ended.abort();
  }, [...inputs, tries]);
  return { ...state, again: () => setTries(tries + 1) };
}

/** What went wrong with loading, and a button to try again. */
export function Unloaded({ problem, again }) {
  return html`
    <div class="notice bad" role="alert">
      ${problem.text ?? problem.message} <button type="button" class="secondary small" onClick=${again}>${t("error.again")}</button>
    </div>
  `;
}
