// One request that carries a file, told while it goes: `fetch` does not say how much has been sent.
import { API, credentials, problemOf, unreachable } from "../api.js";

const STALLED_MS = 60000;
const SILENT_MS = 180000;

/**
 * Upload a file with these fields; returns what the server answers. `onSent` gets the bytes that have left, and whether
 * they are all. Raises: Problem (status 0 when the connection broke, or nothing moved for a minute), AbortError.
 */
export function transfer(file, fields, { signal, onSent }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const request = new XMLHttpRequest();
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file, file.name);
    let watch = null;
    const expect = (within) => {
      clearTimeout(watch);
      watch = setTimeout(() => (finish(), request.abort(), reject(unreachable())), within);
    };
    const stop = () => (finish(), request.abort(), reject(signal.reason));
    const finish = () => {
      clearTimeout(watch);
      signal.removeEventListener("abort", stop);
    };
    const sent = (loaded, isAll) => {
      expect(isAll ? SILENT_MS : STALLED_MS);
      onSent(Math.min(loaded, file.size), isAll);
    };
    request.upload.onprogress = ({ loaded, total }) => sent(loaded, loaded >= total);
    request.upload.onload = () => sent(file.size, true);
    request.onerror = () => (finish(), reject(unreachable()));
    request.onload = () => {
      finish();
      const answer = answerOf(request);
      if (answer instanceof Error) reject(answer);
      else resolve(answer);
    };
    signal.addEventListener("abort", stop);
    request.open("POST", `${API}/tasks/upload`);
    for (const [name, value] of Object.entries(credentials())) request.setRequestHeader(name, value);
    expect(STALLED_MS);
    request.send(form);
  });
}

function answerOf(request) {
  const problem = () => problemOf(request.status, request.responseText, (name) => request.getResponseHeader(name));
  if (request.status !== 200) return problem();
  try {
    return JSON.parse(request.responseText);
  } catch {
    return problem(); // a proxy's page
  }
}
