// Who the person is to the server: the token they gave, kept for this window or, if they wish, for this browser.
import { computed, signal } from "@preact/signals";
import { recall, remember } from "./storage.js";

const NAME = "token";

/** The token in use, or null. */
export const token = signal(recall(NAME, "sessionStorage") ?? recall(NAME));

/** How often a token was given: the same one again means going on too. */
export const given = signal(0);

/** Owner and scopes as the server told them, null before it did. */
export const identity = signal(null);

export const mayWrite = computed(() => identity.value === null || allows("tasks:write"));
export const isAdmin = computed(() => identity.value === null || identity.value.scopes.includes("admin"));

function allows(scope) {
  return identity.value.scopes.includes(scope) || identity.value.scopes.includes("admin");
}

/** `{reason}` while the page asks for a token: "needed", "refused", "expired", or "change" when the person wants another. */
export const asking = signal(null);

let waiting = [];
let isDeclined = false;

/**
 * Ask for a token; resolves to whether one was given. Many that ask at once wait for the same answer, and who has
 * declined is not asked again and again.
 */
export function askForToken(reason) {
  if (isDeclined) return Promise.resolve(false);
  if (asking.value === null) asking.value = { reason };
  return new Promise((resolve) => waiting.push(resolve));
}

/** Use this token from now on; null goes on without one. */
export function useToken(text, { isRemembered = false } = {}) {
  remember(NAME, text, "sessionStorage");
  remember(NAME, isRemembered ? text : null);
  if (text !== token.value) identity.value = null;
  isDeclined = false;
  token.value = text;
  given.value += 1;
  answer(true);
}

/** Close the question without an answer. */
export function declineToken() {
  isDeclined = waiting.length > 0;
  answer(false);
}

function answer(isGiven) {
  const those = waiting;
  waiting = [];
  asking.value = null;
  for (const resolve of those) resolve(isGiven);
}

/** Whether a token is remembered beyond this window. */
export function isRemembered() {
  return recall(NAME) !== null;
}
