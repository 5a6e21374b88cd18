"use strict";

const api = "api/v1/tasks";
const rows = new Map();
const waiting = new Set(["pending", "processing"]);
const find = (id) => document.getElementById(id);
let socket = null;
let cursor = null;
let pause = 500;

async function call(path, options) {
  const response = await fetch(path, options);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.detail || `${response.status} ${response.statusText}`);
  return body;
}

function note(text, isError) {
  const line = document.createElement("li");
  line.textContent = text;
  line.classList.toggle("error", Boolean(isError));
  find("notes").prepend(line);
  while (find("notes").children.length > 8) find("notes").lastChild.remove();
}

async function upload(file) {
  const form = new FormData();
  form.append("file", file);
  try {
    const made = await call(`${api}/upload`, { method: "POST", body: form });
    note(`${file.name}: ${made.duplicate ? "was here already" : "taken in"}`);
    show(await call(`${api}/${made.task_id}`), true);
  } catch (error) {
    note(`${file.name}: ${error.message}`, true);
  }
}

async function uploadAll(files) {
  for (const file of files) await upload(file);
}

function makeRow(id) {
  const row = find("row").content.firstElementChild.cloneNode(true);
  const act = (name, path, options) =>
    row.querySelector(name).addEventListener("click", () =>
      call(`${api}/${id}${path}`, options).then(
        (task) => (options.method === "DELETE" ? remove(id) : show(task)),
        (error) => note(error.message, true),
      ),
    );
  act(".retry", "/retry", { method: "POST" });
  act(".cancel", "/cancel", { method: "POST" });
  act(".delete", "", { method: "DELETE" });
  rows.set(id, row);
  return row;
}

function remove(id) {
  rows.get(id)?.remove();
  rows.delete(id);
  find("empty").hidden = rows.size > 0;
}

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function show(task, isNew) {
  const row = rows.get(task.id) || makeRow(task.id);
  if (isNew) find("tasks").prepend(row);
  else if (!row.isConnected) find("tasks").append(row);
  row.querySelector(".name").textContent = task.file_name || task.id;
  const facts = [task.processor, task.file_size === null ? "" : size(task.file_size), new Date(task.uploaded_at).toLocaleString()];
  row.querySelector(".detail").textContent = facts.filter(Boolean).join(" · ");
  update({ ...task, task_id: task.id });
  find("empty").hidden = true;
  subscribe(task.id);
}

function update(news) {
  const row = rows.get(news.task_id);
  if (!row) return;
  const changed = row.dataset.status !== news.status;
  const active = waiting.has(news.status);
  row.dataset.status = news.status;
  row.querySelector(".status").textContent = news.status === "processing" ? `${news.progress}%` : news.status;
  const bar = row.querySelector("progress");
  bar.value = news.progress;
  bar.hidden = !active;
  bar.setAttribute("aria-label", `Progress of ${row.querySelector(".name").textContent}`);
  row.querySelector(".error").textContent = news.error_message || "";
  row.querySelector(".error").hidden = !news.error_message;
  row.querySelector(".cancel").hidden = !active;
  row.querySelector(".retry").hidden = active;
  row.querySelector(".delete").hidden = active;
  const result = row.querySelector(".result");
  result.hidden = news.status !== "completed" || !news.result_url;
  if (news.result_url) result.href = news.result_url.replace(/^\/(?!\/)/, "");
  if (changed) findReport(news.task_id, row, news.status === "completed");
}

async function findReport(id, row, isDone) {
  const link = row.querySelector(".report");
  link.hidden = true;
  if (!isDone) return;
  const { artifacts } = await call(`${api}/${id}/artifacts`).catch(() => ({ artifacts: [] }));
  if (!artifacts.some((artifact) => artifact.name === "report.html")) return;
  link.href = `${api}/${id}/artifacts/report.html`;
  link.hidden = false;
}

function subscribe(id) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "subscribe", task_id: id }));
}

function connect() {
  const address = new URL(`api/v1/ws/tasks/${crypto.randomUUID?.() || Date.now()}`, document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  socket = new WebSocket(address);
  socket.onopen = () => {
    pause = 500;
    find("connection").textContent = "live";
    for (const id of rows.keys()) subscribe(id);
  };
  socket.onmessage = ({ data }) => {
    const news = JSON.parse(data);
    if (news.type === "task_update") update(news);
    else if (news.code === "not_found") remove(news.task_id);
  };
  socket.onclose = () => {
    find("connection").textContent = "reconnecting…";
    setTimeout(connect, pause * (0.5 + Math.random()));
    pause = Math.min(pause * 2, 15000);
  };
}

async function load() {
  const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  const page = await call(`${api}?page_size=50${after}`);
  cursor = page.next_cursor;
  for (const task of page.tasks) show(task);
  find("more").hidden = !cursor;
  find("empty").hidden = rows.size > 0;
}

const drop = find("drop");
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  addEventListener(name, (event) => event.preventDefault());
  drop.addEventListener(name, () => drop.classList.toggle("over", name === "dragenter" || name === "dragover"));
}
drop.addEventListener("drop", (event) => uploadAll(event.dataTransfer.files));
find("files").addEventListener("change", (event) => uploadAll([...event.target.files]).then(() => (event.target.value = "")));
find("more").addEventListener("click", () => load().catch((error) => note(error.message, true)));
load().catch((error) => note(error.message, true));
connect();
