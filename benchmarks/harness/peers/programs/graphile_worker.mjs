// graphile-worker: `slots` jobs at once over a pool of `pool` connections, `queue` jobs fetched at a time into
// its local queue, completions batched. Holds the conversation that conversation.py tells of.
//
// Called with the folder that node_modules is in.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

process.env.NO_LOG_SUCCESS = "1"; // read as the library is loaded

const require = createRequire(`${process.argv[2]}/`);
const PEER = "graphile-worker";
const { Logger, makeWorkerUtils, run } = require(PEER);
const { Pool } = require("pg");

const TASK = "noop";
const REST_MILLISECONDS = 1000;
const quiet = new Logger(() => () => {});
const now = () => Number(process.hrtime.bigint()) / 1e9;

class Program {
  constructor({ url, payload, settings }) {
    Object.assign(this, { url, payload, settings });
  }

  async install() {
    await this.#submitting(1, (utils) => utils.migrate());
    const described = readFileSync(`${process.argv[2]}/node_modules/${PEER}/package.json`, "utf8");
    return { version: JSON.parse(described).version };
  }

  async submit({ tasks, callers }) {
    return this.#submitting(Math.min(callers, this.settings.submit_pool), async (utils) => {
      await utils.addJob(TASK, this.payload);
      let left = tasks;
      const call = async () => {
        while (left-- > 0) await utils.addJob(TASK, this.payload);
      };
      const began = now();
      await Promise.all(Array.from({ length: callers }, call));
      return { seconds: now() - began };
    });
  }

  async bulk({ tasks }) {
    const { chunk } = this.settings;
    return this.#submitting(1, async (utils) => {
      const began = now();
      for (let start = 0; start < tasks; start += chunk) {
        const length = Math.min(chunk, tasks - start);
        await utils.addJobs(Array.from({ length }, () => ({ identifier: TASK, payload: this.payload })));
      }
      return { seconds: now() - began };
    });
  }

  async start({ tasks }) {
    this.calls = 0;
    let began;
    let enough;
    const called = new Promise((resolve) => {
      enough = resolve;
    });
    this.worker = await this.#working(async () => {
      if (!this.calls++) began = now();
      if (this.calls === tasks) enough();
    });
    await Promise.race([called, this.worker.promise.then(() => Promise.reject(new Error("the worker ended")))]);
    return { began };
  }

  async stop() {
    await this.worker.stop();
    return { calls: this.calls };
  }

  async latency({ tasks, gap_seconds: gap }) {
    const waited = [];
    const worker = await this.#working(async ({ sent }) => {
      waited.push(now() - sent);
    });
    await this.#submitting(1, async (utils) => {
      await sleep(REST_MILLISECONDS);
      for (let done = 0; done < tasks; done++) {
        await utils.addJob(TASK, { ...this.payload, sent: now() });
        await sleep(gap * 1000);
      }
      await sleep(REST_MILLISECONDS);
    });
    await worker.stop();
    return { waited };
  }

  async #submitting(connections, work) {
    const pool = new Pool({ connectionString: this.url, min: connections, max: connections });
    try {
      const utils = await makeWorkerUtils({ pgPool: pool, logger: quiet });
      return await work(utils);
    } finally {
      await pool.end();
    }
  }

  #working(handle) {
    const { slots, pool, queue } = this.settings;
    const batching = queue
      ? { localQueue: { size: queue, refetchDelay: { durationMs: 10 } }, completeJobBatchDelay: 0, failJobBatchDelay: 0 }
      : {};
    return run({
      noHandleSignals: true,
      taskList: { [TASK]: handle },
      preset: {
        worker: { connectionString: this.url, logger: quiet, concurrentJobs: slots, maxPoolSize: pool, ...batching },
      },
    });
  }
}

let program;
for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...told } = JSON.parse(line);
  const answer = program ? await program[what](told) : await (program = new Program(told)).install();
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
