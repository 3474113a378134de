// Hands jobs to the lanes of all threads, and takes what they bring: ranges of large files, batches of small ones.

import { MessageChannel, Worker } from "node:worker_threads";
import { Lanes } from "./lanes.mjs";
import { batches, threadsFor } from "./share-out.mjs";
import { Changed, named, Refusal } from "./outcome.mjs";
import { Pace } from "./pace.mjs";

/** A range that takes this much longer than the others is asked for a second time, when nothing else is left to do. */
const slowFactor = 4;
const slowAtLeastMs = 2000;

export class Transfer {
  received = 0;
  writeMs = 0;
  #plan;
  #queue;
  #bytes;
  #next = 0;
  #flying = new Map(); // job id -> { job, worker, began }
  #parked = []; // lanes that wait for a job: { worker, lane }
  #workers = [];
  #failures = [];
  #settle;
  #tasks = new Set();
  #lastId = 0;
  #stopped = false;
  #done = { jobs: 0, ms: 0 };

  /**
   * @param parts files that are fetched by ranges; @param small `{file, index}` of those that fit one request
   * @param on `{part(part), files(results), trouble(message)}`; `part` gives whether the file is whole
   */
  constructor(plan, parts, small, on) {
    this.#plan = plan;
    this.parts = parts;
    this.on = on;
    this.pace = new Pace(plan.lanes, plan.mostLanes);
    const ranges = parts.flatMap((part) => part.missing().map((range) => ({ part, range })));
    this.#queue = [...ranges, ...batches(small, plan)];
    const sum = (sizes) => sizes.reduce((all, size) => all + size, 0);
    this.#bytes = {
      ranges: sum(ranges.map(({ range }) => range.length)),
      small: sum(small.map(({ file }) => file.size)),
    };
  }

  /** Resolves when all is fetched and committed; rejects with the first failure after what is under way has ended. */
  async run() {
    const parts = this.parts.filter(({ complete }) => complete);
    for (const part of parts) this.#task(this.#finish(part));
    const ended = new Promise((resolve) => (this.#settle = resolve));
    this.#start();
    let ticks = 0;
    const timer = setInterval(() => {
      if (++ticks % 4 === 0) this.pace.tick(this.received, 2, Date.now());
      this.#wake();
    }, 500);
    this.#check();
    await ended;
    clearInterval(timer);
    await this.#stop();
    const changed = this.#failures.find((error) => error instanceof Changed);
    if (this.#failures.length > 0) throw changed ?? this.#failures[0];
  }

  #start() {
    const jobs = this.#queue.length;
    const count = Math.max(1, Math.min(this.#plan.threads ?? threadsFor(this.#bytes), jobs));
    const lanes = Math.ceil(Math.min(this.#plan.mostLanes, Math.max(jobs, 1)) / count);
    const { files: _files, ...plan } = this.#plan;
    if (jobs === 0) return;
    for (let number = 1; number < count; number++) {
      const worker = new Worker(new URL("./worker.mjs", import.meta.url), {
        workerData: { plan, lanes },
      });
      worker.on("error", (error) => this.#died(worker, error));
      this.#employ(worker, new Promise((resolve) => worker.once("exit", resolve)));
    }
    // This thread has lanes too: they begin while the others still start.
    const { port1, port2 } = new MessageChannel();
    this.#employ(port1, new Promise((resolve) => port1.once("close", resolve)));
    new Lanes({ plan, lanes }, port2)
      .run()
      .catch((error) => this.#died(port1, error))
      .finally(() => port2.close());
  }

  /** @param gone resolves when the thread has told all */
  #employ(worker, gone) {
    Object.assign(worker, { gone, busy: 0 });
    worker.on("message", (message) => this.#hear(worker, message));
    this.#workers.push(worker);
  }

  async #stop() {
    for (const { worker, lane } of this.#parked.splice(0)) worker.postMessage({ lane });
    this.#stopped = true;
    await Promise.all(this.#workers.map(({ gone }) => gone));
  }

  fail(error) {
    this.#failures.push(error);
    if (this.#failures.length === 1)
      for (const worker of this.#workers) worker.postMessage({ stop: true });
    this.#check();
  }

  #died(worker, error) {
    for (const [id, flying] of this.#flying) if (flying.worker === worker) this.#flying.delete(id);
    this.fail(error);
  }

  /** Runs something besides the transfer, which does not end before it. */
  #task(promise) {
    const task = promise
      .catch((error) => this.fail(error))
      .finally(() => {
        this.#tasks.delete(task);
        this.#check();
      });
    this.#tasks.add(task);
  }

  #check() {
    const left = this.#next < this.#queue.length && this.#failures.length === 0;
    if (!left && this.#flying.size === 0 && this.#tasks.size === 0) this.#settle();
  }

  #hear(worker, message) {
    if (message.kind === "ask") {
      if (this.#stopped) worker.postMessage({ lane: message.lane });
      else this.#parked.push({ worker, lane: message.lane });
      this.#wake();
    } else if (message.kind === "staged") this.on.files(message.files);
    else if (message.kind === "received") {
      worker.counts = message;
      this.received = this.#workers.reduce((sum, { counts }) => sum + (counts?.received ?? 0), 0);
      this.writeMs = this.#workers.reduce((sum, { counts }) => sum + (counts?.writeMs ?? 0), 0);
    } else if (message.kind === "trouble") {
      if (message.slowDown) this.pace.slowDown(Date.now());
      this.on.trouble(message.message);
    } else this.#landed(message);
  }

  #landed(message) {
    const { job, began, worker } = this.#flying.get(message.id);
    this.#flying.delete(message.id);
    worker.busy -= 1;
    if (job.part !== undefined) job.part.busy -= 1;
    if (message.files !== undefined) this.on.files(message.files);
    if (message.kind === "failed") this.#failed(job, message);
    else if (job.part !== undefined) {
      this.#done.jobs += 1;
      this.#done.ms += performance.now() - began;
      job.part.finish(job.range.index, message.checksum);
      for (const [id, other] of this.#flying)
        if (other.job === job) other.worker.postMessage({ cancel: id });
    }
    const { part } = job;
    if (part?.complete && part.busy === 0 && !part.committing && this.#failures.length === 0)
      this.#task(this.#finish(part));
    // A lane asked for this place while its last bytes were still being written.
    this.#wake();
    this.#check();
  }

  async #finish(part) {
    part.committing = true;
    const whole = await this.on.part(part);
    part.committing = false;
    if (whole) return;
    this.#queue.push(...part.missing().map((range) => ({ part, range })));
    // Where an earlier run had fetched all, there was nothing to start lanes for.
    if (this.#workers.length === 0) this.#start();
    this.#wake();
  }

  #failed(job, { code, message }) {
    // A range that another lane brought meanwhile is not missed.
    if (code === "E_CANCELLED" || job.part?.done.has(job.range.index)) return;
    if (this.#failures.length > 0) return;
    this.fail(code === "E_CHANGED" ? new Changed(message) : new Refusal(code, message));
  }

  /** Gives jobs to lanes that wait, as many as the pace allows. */
  #wake() {
    while (this.#parked.length > 0 && this.#flying.size < this.pace.target) {
      if (this.#failures.length > 0) return;
      const at = this.#leastBusy();
      if (at < 0) return;
      const job = this.#next < this.#queue.length ? this.#queue[this.#next++] : this.#slowest();
      if (job === undefined) return;
      const [{ worker, lane }] = this.#parked.splice(at, 1);
      const id = ++this.#lastId;
      this.#flying.set(id, { job, worker, began: performance.now() });
      worker.busy += 1;
      if (job.part === undefined) worker.postMessage({ lane, job: { id, ...job } });
      else this.#launch(worker, lane, id, job);
    }
  }

  /**
   * Where the lane waits whose thread has the least to do; -1 while those that could take more have their share. Of its
   * lanes it is the one that came last, whose connection is open.
   */
  #leastBusy() {
    let least = Math.ceil(this.pace.target / this.#workers.length);
    let at = -1;
    for (let index = this.#parked.length - 1; index >= 0; index--) {
      const { busy } = this.#parked[index].worker;
      if (busy < least) [least, at] = [busy, index];
    }
    return at;
  }

  #launch(worker, lane, id, job) {
    const { part, range } = job;
    part.busy += 1;
    part.opening ??= part.open();
    part.opening.then(
      () => {
        const { file, algorithm, direct, handle } = part;
        const { start, length } = range;
        const what = { id, file, algorithm, direct, fd: handle.fd, start, length };
        worker.postMessage({ lane, job: what });
      },
      (error) => {
        this.#parked.push({ worker, lane });
        this.#landed({ kind: "failed", id, ...named(error, this.#plan.folder) });
      },
    );
  }

  /** The range that hangs behind the others, to be fetched a second time; the first to arrive counts. */
  #slowest() {
    const { jobs, ms } = this.#done;
    const limit = Math.max(slowAtLeastMs, (slowFactor * ms) / Math.max(jobs, 1));
    for (const { job, began } of this.#flying.values()) {
      if (job.part === undefined || job.hedged || performance.now() - began < limit) continue;
      job.hedged = true;
      return job;
    }
    return undefined;
  }
}
