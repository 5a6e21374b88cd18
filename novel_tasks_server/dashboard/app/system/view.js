// The system: whether all is well, what runs, how much room there is, how it is set.
import { API, call } from "../api.js";
import { Failure } from "../failure.js";
import { moment, number, size } from "../format.js";
import { html } from "../html.js";
import { Icon } from "../icons.js";
import { usePolled } from "../polling.js";
import { hasWords, t } from "../words.js";
import { Advice, Condition, Found, titleOf } from "./found.js";
import { Settings } from "./settings.js";

const EVERY_SECONDS = 15;
const MARKS = { ok: "check", warning: "warning", error: "cross" };

/** What admins see; others get what the health page tells everybody. */
async function load(signal) {
  try {
    return await call("GET", `${API}/system`, { signal });
  } catch (problem) {
    if (problem.status !== 403) throw problem;
    return { health: await health(signal) };
  }
}

async function health(signal) {
  try {
    return await call("GET", "health", { signal });
  } catch (problem) {
    if (problem.status !== 503 || !problem.body.status) throw problem;
    return problem.body; // it says what is not well
  }
}

/** The whole view. */
export function View() {
  const { data, problem, reload } = usePolled(load, EVERY_SECONDS);
  return html`
    <h1>${t("nav.system")}</h1>
    ${problem && html`<${Failure} problem=${problem} onRetry=${reload} isOld=${data !== null} />`}
    ${data && (data.health ? html`<${Brief} health=${data.health} />` : html`<${Whole} system=${data} />`)}
  `;
}

function Brief({ health: { status, database, storage, problems, conditions } }) {
  return html`
    <p>${t("system.admins")}</p>
    <section class="card">
      <p class="verdict ${status === "healthy" ? "ok" : "error"}"><${Icon} name=${MARKS[status === "healthy" ? "ok" : "error"]} /> ${status === "healthy" ? t("system.healthy") : t("system.errors", { n: problems.length })}</p>
      <p>${t("system.healthy.parts", { database: t(`system.part.${database}`), storage: t(`system.part.${storage}`) })}</p>
      <ul>${conditions.map((one) => html`<li key=${one.text}><${Condition} condition=${one} /></li>`)}</ul>
    </section>
  `;
}

function Whole({ system }) {
  return html`
    <${Checks} checks=${system.checks} />
    <div class="columns">
      <${Versions} versions=${system.versions} system=${system} />
      <${Storage} storage=${system.storage} />
    </div>
    <${Settings} settings=${system.settings} />
  `;
}

function Checks({ checks }) {
  const count = (status) => checks.filter((check) => check.status === status).length;
  const worst = ["error", "warning"].find(count) ?? "ok";
  const verdict = worst === "ok" ? t("system.healthy") : t(`system.${worst}s`, { n: count(worst) });
  return html`
    <section class="card" aria-labelledby="checks-title">
      <h2 id="checks-title">${t("system.checks")}</h2>
      <p class="verdict ${worst}" role="status"><${Icon} name=${MARKS[worst]} /> ${verdict}</p>
      <ul class="checks">
        ${checks.map(
          (check) => html`
            <li key=${check.name} class=${check.status}>
              <span class="mark-of"><${Icon} name=${MARKS[check.status]} /><span class="unseen">${t(`system.check.${check.status}`)}: </span></span>
              <div>
                <strong>${titleOf(check)}</strong> <span><${Found} check=${check} /></span>
                ${check.advice && html`<p class="quiet"><${Advice} check=${check} /></p>`}
              </div>
            </li>
          `,
        )}
      </ul>
    </section>
  `;
}

/** What a part of the program is called; libraries have their own names. */
const nameOf = (part) => (hasWords(`system.part.${part}`) ? t(`system.part.${part}`) : part);

function Versions({ versions, system }) {
  return html`
    <section class="card" aria-labelledby="versions-title">
      <h2 id="versions-title">${t("system.versions")}</h2>
      <dl class="pairs">
        ${Object.entries(versions).map(([name, version]) => html`<div key=${name}><dt>${nameOf(name)}</dt><dd>${version ?? "–"}</dd></div>`)}
        <div>
          <dt>${t("system.process")}</dt>
          <dd>
            ${t("system.process.place", { host: system.host, pid: String(system.pid) })}<br />
            <span class="quiet">${t("system.process.since", { when: moment(system.started_at) })}</span>
          </dd>
        </div>
      </dl>
    </section>
  `;
}

function Storage({ storage }) {
  const {
    files_bytes: files,
    free_bytes: free,
    total_bytes: total,
    database_bytes: database,
    tasks,
    tasks_is_estimate: isEstimate,
  } = storage;
  const room = t("system.storage.free", { free: size(free), total: size(total) });
  return html`
    <section class="card" aria-labelledby="storage-title">
      <h2 id="storage-title">${t("system.storage")}</h2>
      <dl class="pairs">
        <div>
          <dt>${t("system.storage.disk")}</dt>
          <dd>${room} ${total > 0 && html`<progress max=${total} value=${total - free} aria-label=${room}></progress>`}</dd>
        </div>
        ${files !== null && files !== undefined && html`<div><dt>${t("system.storage.files")}</dt><dd>${size(files)}</dd></div>`}
        <div><dt>${t("system.storage.database")}</dt><dd>${size(database)}</dd></div>
        <div><dt>${t("system.storage.tasks")}</dt><dd>${isEstimate ? t("system.storage.about", { n: tasks }) : number(tasks)}</dd></div>
      </dl>
    </section>
  `;
}
