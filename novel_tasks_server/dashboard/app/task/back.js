// The way back to the list, as it was when the person left it.
import { effect } from "@preact/signals";
import { href, route } from "../router.js";

let query = {};

effect(() => {
  if (route.value.view === "tasks") query = route.value.query;
});

/** The address of the list with the filters that were in use last. */
export const listAddress = () => href("tasks", query);
