// What came of the task: drawn by what it left, whatever the processor is called.
import { useMemo } from "preact/hooks";
import { call, taskPath } from "../api.js";
import { Failure } from "../failure.js";
import { size } from "../format.js";
import { html } from "../html.js";
import { artifact, outsideAddress } from "../links.js";
import { t } from "../words.js";
import { Chapters } from "./chapters.js";
import { Charts } from "./chart.js";
import { Changes } from "./cleaned.js";
import { Download } from "./files.js";
import { Figures } from "./figures.js";
import { useLoaded } from "./load.js";
import { shapeOf } from "./shape.js";
import { Tree } from "./tree.js";

const MOST_BYTES = 12_000_000;

/** What draws an artifact, by the schema that it names. */
const DRAWN = {
  "analysis.json": ["novel-tasks/analysis/2", Analysis],
  "chapters.json": ["novel-tasks/chapters/2", Chapters],
  "changes.json": ["novel-tasks/changes/1", Changes],
};

/** The result of a completed task. */
export function Result({ store }) {
  const { status } = store.task.value;
  return (
    status === "completed" && store.artifacts.value && html`<${Shown} store=${store} key=${store.task.value.version} />`
  );
}

function Shown({ store }) {
  const task = store.task.value;
  const { value, problem, again } = useLoaded(
    (signal) => call("GET", taskPath(task.id, "/result"), { signal }).then((result) => ({ result })),
    [task.id],
  );
  const drawn = store.artifacts.value.find(({ name }) => name in DRAWN);
  const book = store.artifacts.value.find(({ content_type }) => content_type === "application/epub+zip");
  return html`
    <section class="card result" aria-labelledby="result" aria-busy=${value === null && problem === null}>
      <h2 id="result">${t("task.result")}</h2>
      ${problem && html`<${Failure} problem=${problem} onRetry=${again} />`}
      ${task.processor === "external" && html`<${Outside} address=${task.result_url} />`}
      ${book && value && html`<${Book} id=${task.id} file=${book} result=${value.result} />`}
      ${value && html`<${Told} result=${value.result} />`}
      ${drawn && html`<${Drawn} id=${task.id} file=${drawn} />`}
      ${value && isNovel(value.result) && html`<details class="table"><summary>${t("task.result.all")}</summary><${Tree} value=${value.result} /></details>`}
    </section>
  `;
}

const isNovel = (result) =>
  result !== null && typeof result === "object" && "encoding" in result && "chapters" in result;

function Told({ result }) {
  if (isNovel(result)) {
    return html`<${Figures} result=${result} />`;
  }
  if (result === null) return null;
  return html`<${Tree} value=${result} name=${typeof result === "object" ? null : ""} />`;
}

/** An artifact that has a picture: loaded, unless it is too large for a page. */
function Drawn({ id, file }) {
  const [schema, Picture] = DRAWN[file.name];
  const isLarge = file.size > MOST_BYTES;
  const load = async (signal) =>
    isLarge ? null : call("GET", taskPath(id, `/${artifact(encodeURIComponent(file.name))}`), { signal });
  const { value, problem, again } = useLoaded(load, [id, file.sha256]);
  if (isLarge) {
    return html`<p class="notice">${t("task.result.large", { name: file.name, size: size(file.size) })} <${Download} id=${id} file=${artifact(file.name)} name=${file.name}>${t("task.download")}<//></p>`;
  }
  if (problem) return html`<${Failure} problem=${problem} onRetry=${again} />`;
  if (!value) return html`<div class="awaited small" aria-busy="true"></div>`;
  return value.schema === schema ? html`<${Picture} document=${value} />` : html`<${Tree} value=${value} />`;
}

function Analysis({ document: analysis }) {
  const shape = useMemo(() => shapeOf(analysis), [analysis]);
  return shape.chapters.length > 0 && html`<${Charts} analysis=${analysis} shape=${shape} />`;
}

function Book({ id, file, result }) {
  return html`
    <div class="book">
      <div>
        <p class="title"><cite dir="auto">${result?.title ?? file.name}</cite></p>
        ${result?.author && html`<p class="quiet"><bdi>${result.author}</bdi></p>`}
      </div>
      <${Download} id=${id} file=${artifact(file.name)} name=${file.name} kind="">${t("task.book", { size: size(file.size) })}<//>
    </div>
  `;
}

/** Where an outside service says that its result is; a link only if that leads to a page. */
function Outside({ address }) {
  if (!address) return html`<p class="quiet">${t("task.outside.none")}</p>`;
  const url = outsideAddress(address);
  if (!url) return html`<p>${t("task.outside.at")} <code>${address}</code></p>`;
  return html`<p>${t("task.outside.at")} <a href=${url} target="_blank" rel="noopener noreferrer">${address}</a></p>`;
}
