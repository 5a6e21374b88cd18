// The time, second by second, for ages and durations that grow while they are looked at.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const now = signal(Date.now());
let watchers = 0;
let timer = null;

/** The time in milliseconds; what calls this is drawn again every second while `isRunning`. */
export function useNow(isRunning = true) {
  useEffect(() => {
    if (!isRunning) return undefined;
    watchers += 1;
    timer ??= setInterval(() => document.hidden || (now.value = Date.now()), 1000);
    return () => {
      watchers -= 1;
      if (watchers) return;
      clearInterval(timer);
      timer = null;
    };
  }, [isRunning]);
  return isRunning ? now.value : Date.now();
}
