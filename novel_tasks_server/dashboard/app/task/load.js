// What a component needs from the server before it can draw itself.
import { useEffect, useState } from "preact/hooks";
import { token } from "../access.js";

/** `{value, problem, again}` of what `load(signal)` resolves to, a Problem if any; loaded anew when one of `inputs` or the token changes. */
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
  }, [...inputs, tries, token.value]);
  return { ...state, again: () => setTries(tries + 1) };
}
