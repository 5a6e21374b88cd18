// Begin: words first, then the page, then the connection.
import { h, render } from "preact";
import { start } from "./live.js";
import * as queue from "./queue/words.js";
import * as shell from "./shell-words.js";
import * as system from "./system/words.js";
import * as task from "./task/words.js";
import * as tasks from "./tasks/words.js";
import { startUploads } from "./uploads/drop.js";
import * as uploads from "./uploads/words.js";
import { addWords } from "./words.js";

for (const words of [shell, tasks, task, uploads, queue, system]) addWords(words);

const { Shell } = await import("./shell.js");
render(h(Shell), document.body);
start();
startUploads();
