// Lanes that share a thread: each asks for a job, fetches it, sums it and has it written.

import fs from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { algorithms } from "./checksums.mjs";
import { Connection, Origin } from "./connection.mjs";
import { CrcMemory } from "./crc-kernel.mjs";
import { named, Refusal, Transient } from "./outcome.mjs";
import { Reader } from "./reader.mjs";
import { roomFor, stageFile } from "./stage-file.mjs";
import { verifyWhole } from "./verify.mjs";

const write = promisify(fs.write);
/** Bytes are summed while they are still in the processor's cache. */
const sumEvery = 256 * 1024;
const reportEveryMs = 250;
/** Files of a batch that takes longer are told of before its end, so that they get in place. */
const tellEveryMs = 500;

/** Follows a body as it grows, and gives its checksum at the end. */
function summing(name, slot, memory) {
  const algorithm = algorithms[name];
  let at = 0;
  let value = 0n;
  const sum = (until) => {
    value = memory.update(algorithm, slot.subarray(at, until), value);
    at = until;
  };
  return {
    grow: (got) => {
      if (got < at) [at, value] = [0, 0n]; // another try begins
      if (got - at >= sumEvery) sum(got);
    },
    end: (length) => {
      sum(length);
      return value;
    },
  };
}

/** Memory of equal pieces that are lent; the one that came back last goes first, since its pages are there already. */
class Slots {
  #free = [];
  #waiting = [];

  constructor(memory, slotBytes, count) {
    for (let index = count - 1; index >= 0; index--)
      this.#free.push(memory.subarray(index * slotBytes, (index + 1) * slotBytes));
  }

  take() {
    const slot = this.#free.pop();
    if (slot !== undefined) return Promise.resolve(slot);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(slot) {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(slot);
    else next(slot);
  }
}

/** The rooms that a slot has for files of up to so many bytes. */
function roomsIn(slot, files) {
  const roomBytes = roomFor(Math.max(1, ...files.map(({ file }) => file.size)));
  return new Slots(slot, roomBytes, Math.min(files.length, Math.floor(slot.length / roomBytes)));
}

export class Lanes {
  #plan;
  #count;
  #port;
  #origin;
  #memory;
  #slots;
  #staging;
  #reader;
  #connections = [];
  #answers = new Map(); // lane -> what to call with its next job
  #received = 0;
  #writeMs = 0;

  /**
   * @param port gives `{lane, job}`, `{stop}` and `{cancel}`; is told `ask`, `staged`, `done`, `failed`, `received`, `trouble`
   */
  constructor({ plan, lanes }, port) {
    this.#plan = plan;
    this.#count = lanes;
    this.#port = port;
    this.#origin = new Origin(plan.origin);
    // Two for each lane: one on its way to the disk while the next comes.
    const slotBytes = Math.ceil(plan.rangeBytes / 65_536) * 65_536;
    // Pages that are never used take no memory.
    this.#memory = new CrcMemory(lanes * 2 * slotBytes);
    const all = this.#memory.view(0, lanes * 2 * slotBytes);
    this.#slots = new Slots(all, slotBytes, lanes * 2);
    this.#staging = join(plan.folder, ".sync");
    this.#reader = new Reader(plan, this.#origin, (error) => {
      this.#say("trouble", { slowDown: error.slowDown, message: error.message });
    });
    port.on("message", (message) => this.#hear(message));
  }

  /** Ends when no lane is given a job any more, and all that they wrote has been told. */
  async run() {
    const { idleMs } = this.#plan;
    const watch = setInterval(() => setImmediate(() => this.#watch()), Math.min(1000, idleMs / 4));
    const report = setInterval(() => this.#report(), reportEveryMs);
    await Promise.all(Array.from({ length: this.#count }, (_, number) => this.#lane(number)));
    clearInterval(watch);
    clearInterval(report);
    this.#report();
  }

  #say(kind, what) {
    this.#port.postMessage({ kind, ...what });
  }

  #report() {
    this.#say("received", { received: this.#received, writeMs: this.#writeMs });
  }

  /**
   * Silence is measured only while the network is waited for: a disk that is slow is no reason to give up. Called after the
   * sockets were looked at: bytes may have come while the thread had no processor.
   */
  #watch() {
    const { idleMs } = this.#plan;
    for (const { connection } of this.#connections)
      if (connection.busy && Date.now() - connection.heardAt > idleMs)
        connection.abort(new Transient(`no bytes for ${idleMs} ms`));
  }

  #hear({ lane, job, stop, cancel }) {
    if (lane !== undefined) {
      const answer = this.#answers.get(lane);
      this.#answers.delete(lane);
      answer(job);
    }
    if (stop) {
      this.#reader.stopped = true;
      for (const { connection } of this.#connections)
        connection.abort(new Transient("the sync stops"));
    }
    if (cancel !== undefined)
      for (const each of this.#connections)
        if (each.job === cancel) each.connection.abort(new Refusal("E_CANCELLED", "not needed"));
  }

  async #lane(number) {
    const own = { connection: new Connection(this.#origin), job: undefined };
    this.#connections.push(own);
    for (;;) {
      const job = await new Promise((resolve) => {
        this.#answers.set(number, resolve);
        this.#say("ask", { lane: number });
      });
      if (job === undefined) break;
      own.job = job.id;
      if (job.files === undefined)
        await this.#fetchRange(own.connection, job).catch((error) => this.#fail(job.id, error));
      else await this.#fetchFiles(own.connection, job);
      own.job = undefined;
    }
    own.connection.abort();
  }

  /** Counts bytes from the network; each try counts its own. */
  #counting(then) {
    let before = 0;
    return (got) => {
      this.#received += got < before ? got : got - before;
      before = got;
      then?.(got);
    };
  }

  async #fetchRange(connection, job) {
    const slot = await this.#slots.take();
    let kept = false;
    try {
      const sum = summing(job.algorithm, slot, this.#memory);
      const { file, start, length } = job;
      const grow = this.#counting(sum.grow);
      await this.#reader.read(connection, file, { start, length }, slot, grow);
      const checksum = sum.end(length);
      kept = true;
      this.#writeAll(job, slot, length)
        .then(() => this.#say("done", { id: job.id, checksum }))
        .catch((error) => this.#fail(job.id, error))
        .finally(() => this.#slots.give(slot));
    } finally {
      if (!kept) this.#slots.give(slot);
    }
  }

  async #writeAll({ fd, start, direct }, slot, length) {
    // Direct writes are of whole pages; the file is cut to its size at the end.
    const end = direct ? roomFor(length) : length;
    slot.fill(0, length, end);
    const began = performance.now();
    for (let put = 0; put < end;) {
      const { bytesWritten } = await write(fd, slot, put, end - put, start + put);
      put += bytesWritten;
    }
    this.#writeMs += performance.now() - began;
  }

  /** Whole files, each of which is written while the next comes; a batch is one job, so that the threads talk little. */
  async #fetchFiles(connection, job) {
    const slot = await this.#slots.take();
    const rooms = roomsIn(slot, job.files);
    const done = [];
    const writes = [];
    let failure;
    let told = Date.now();
    try {
      for (const { file, index } of job.files) {
        const room = await rooms.take();
        const pages = room.subarray(0, roomFor(file.size));
        const { by, checksum } = await this.#fetchWhole(connection, file, pages);
        const path = `${this.#staging}/${index}.whole`;
        const written = stageFile(path, pages, file.size, this.#plan.fileMode)
          .then(
            (mtimeMs) => {
              done.push({ index, mtimeMs, verifiedBy: by, checksum });
              if (Date.now() - told < tellEveryMs) return;
              told = Date.now();
              this.#say("staged", { files: done.splice(0) });
            },
            (error) => (failure ??= error),
          )
          .finally(() => rooms.give(room));
        writes.push(written);
        if (failure !== undefined || this.#reader.stopped) break;
      }
    } catch (error) {
      failure ??= error;
    }
    await Promise.all(writes);
    this.#slots.give(slot);
    if (failure === undefined) this.#say("done", { id: job.id, files: done });
    else this.#fail(job.id, failure, done);
  }

  /** One file, whole and as S3 says it is; a damaged one is fetched once more. */
  async #fetchWhole(connection, file, room) {
    const range = { start: 0, length: file.size };
    for (let attempt = 1; ; attempt++) {
      const headers = await this.#reader.read(connection, file, range, room, this.#counting());
      const bytes = room.subarray(0, file.size);
      const verified = verifyWhole(file, headers, bytes, this.#memory);
      if (verified.damage === undefined) return verified;
      if (attempt >= 2) throw new Refusal("E_CHECKSUM", verified.damage);
    }
  }

  #fail(id, error, files = []) {
    this.#say("failed", { id, files, ...named(error, this.#plan.folder) });
  }
}
