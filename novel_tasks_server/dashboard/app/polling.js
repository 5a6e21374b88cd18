// What no message tells of is asked for again and again, while somebody looks.
import { useEffect, useRef, useState } from "preact/hooks";
import { connection } from "./live.js";

/**
 * Load something now, every `seconds`, and when the connection is back; not while the page is hidden. `load` gets an
 * AbortSignal. Returns `{data, problem, reload}`: what was loaded last stays when a later attempt fails. `key` begins anew.
 */
export function usePolled(load, seconds, key = "") {
  const [state, setState] = useState({ key, data: null, problem: null });
  const reload = useRef(null);
  const isLive = connection.value === "live";
  useEffect(() => {
    const control = new AbortController();
    let timer = null;
    const again = async () => {
      clearTimeout(timer);
      try {
        if (!document.hidden) {
          const data = await load(control.signal);
          if (!control.signal.aborted) setState({ key, data, problem: null });
        }
      } catch (problem) {
        if (control.signal.aborted) return;
        if (problem.name !== "Problem") throw problem;
        setState((old) => ({ key, data: old.key === key ? old.data : null, problem }));
      } finally {
        if (!control.signal.aborted) timer = setTimeout(again, seconds * 1000);
      }
    };
    const seen = () => document.hidden || again();
    reload.current = again;
    document.addEventListener("visibilitychange", seen);
    again();
    return () => {
      control.abort(new DOMException("left", "AbortError"));
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [key, seconds, isLive]);
  const isOld = state.key !== key;
  return { data: isOld ? null : state.data, problem: isOld ? null : state.problem, reload: () => reload.current() };
}
