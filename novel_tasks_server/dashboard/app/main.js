// Begin: words first, then the page, then the connection, then what is not needed yet.
import { h, render } from "preact";
import { start } from "./live.js";
import * as server from "./server-words.js";
import * as shell from "./shell-words.js";
import * as tasks from "./tasks/words.js";
import { startUploads } from "./uploads/drop.js";
import * as uploads from "./uploads/words.js";
import { addWords } from "./words.js";

for (const words of [shell, server, tasks, uploads]) addWords(words);

const [{ Shell }, { loadViewsLater }] = await Promise.all([import("./shell.js"), import("./views.js")]);
render(h(Shell), document.body);
start();
startUploads();
loadViewsLater();
