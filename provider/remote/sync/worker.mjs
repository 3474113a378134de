// A thread with lanes of its own: each asks the main thread for a job, fetches it, sums it and has it written.

import fs from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parentPort, workerData } from "node:worker_threads";
import { crc32 } from "node:zlib";
import { algorithms } from "./checksums.mjs";
import { Connection, Origin } from "./connection.mjs";
import { CrcMemory } from "./crc-kernel.mjs";
import { named, Refusal, Transient } from "./outcome.mjs";
import { Reader } from "./reader.mjs";
import { verifyWhole } from "./verify.mjs";

const write = promisify(fs.write);
const pageBytes = 4096;
/** Bytes are summed while they are still in the processor's cache. */
const sumEvery = 256 * 1024;

const { plan, lanes } = workerData;
const origin = new Origin(plan.origin);
const slotBytes = Math.ceil(plan.rangeBytes / 65_536) * 65_536;
// Two for each lane: one on its way to the disk while the next comes. Pages that are never used take no memory.
const memory = new CrcMemory(lanes * 2 * slotBytes);
const free = Array.from({ length: lanes * 2 }, (_, index) =>
  memory.view(index * slotBytes, slotBytes),
);
const waiting = [];
const reader = new Reader(plan, origin, (error) => {
  parentPort.postMessage({ kind: "trouble", slowDown: error.slowDown, message: error.message });
});
const connections = [];
const answers = new Map();
let received = 0;
let writeMs = 0;

function take() {
  const slot = free.pop();
  if (slot !== undefined) return Promise.resolve(slot);
  return new Promise((resolve) => waiting.push(resolve));
}

function give(slot) {
  const next = waiting.shift();
  if (next === undefined) free.push(slot);
  else next(slot);
}

/** Follows a body as it grows, and gives its checksum at the end. */
function summing(name, slot) {
  const algorithm = algorithms[name];
  let at = 0;
  let value = 0n;
  const sum = (until) => {
    const bytes = slot.subarray(at, until);
    value =
      name === "CRC32"
        ? BigInt(crc32(bytes, Number(value)))
        : memory.update(algorithm, bytes, value);
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

/** Counts bytes from the network; each try counts its own. */
function counting(then) {
  let before = 0;
  return (got) => {
    received += got < before ? got : got - before;
    before = got;
    then(got);
  };
}

async function writeAll({ fd, start, direct }, slot, length) {
  let end = length;
  if (direct) {
    // Direct writes are of whole pages; the file is cut to its size at the end.
    end = Math.ceil(length / pageBytes) * pageBytes;
    slot.fill(0, length, end);
  }
  const began = performance.now();
  for (let put = 0; put < end;) {
    const { bytesWritten } = await write(fd, slot, put, end - put, start + put);
    put += bytesWritten;
  }
  writeMs += performance.now() - began;
}

async function fetchRange(connection, job) {
  const slot = await take();
  let kept = false;
  try {
    const sum = summing(job.algorithm, slot);
    const { file, start, length } = job;
    await reader.read(connection, file, { start, length }, slot, counting(sum.grow));
    const checksum = sum.end(length);
    kept = true;
    writeAll(job, slot, length)
      .then(() => parentPort.postMessage({ kind: "done", id: job.id, checksum }))
      .catch((error) => fail(job.id, error))
      .finally(() => give(slot));
  } finally {
    if (!kept) give(slot);
  }
}

/** Whole files that fit a slot; the batch is one job, so that the threads talk little. */
async function fetchFiles(connection, job) {
  const slot = await take();
  const done = [];
  try {
    for (const { file, index } of job.files) {
      const range = { start: 0, length: file.size };
      const wanted = { ...file };
      let verified;
      for (let attempt = 1; verified === undefined; attempt++) {
        const headers = await reader.read(
          connection,
          file,
          range,
          slot,
          counting(() => undefined),
        );
        verified = verifyWhole(wanted, headers, slot.subarray(0, file.size), memory);
        if (verified.damage === undefined) break;
        if (attempt >= 2) throw new Refusal("E_CHECKSUM", verified.damage);
        verified = undefined;
      }
      const path = join(plan.folder, ".sync", `${index}.whole`);
      let mtimeMs;
      const fd = fs.openSync(path, "w", plan.fileMode);
      try {
        for (let put = 0; put < file.size;)
          put += fs.writeSync(fd, slot, put, file.size - put, put);
        mtimeMs = fs.fstatSync(fd).mtimeMs;
      } finally {
        fs.closeSync(fd);
      }
      done.push({ index, mtimeMs, verifiedBy: verified.by, checksum: verified.checksum });
      if (reader.stopped) break;
    }
    parentPort.postMessage({ kind: "done", id: job.id, files: done });
  } catch (error) {
    fail(job.id, error, done);
  } finally {
    give(slot);
  }
}

function fail(id, error, files = []) {
  parentPort.postMessage({ kind: "failed", id, files, ...named(error, plan.folder) });
}

async function lane(number) {
  const connection = new Connection(origin);
  connections.push({ connection, number });
  for (;;) {
    const job = await new Promise((resolve) => {
      answers.set(number, resolve);
      parentPort.postMessage({ kind: "ask", lane: number });
    });
    if (job === undefined) break;
    connection.job = job.id;
    if (job.files === undefined)
      await fetchRange(connection, job).catch((error) => fail(job.id, error));
    else await fetchFiles(connection, job);
    connection.job = undefined;
  }
  connection.abort();
}

parentPort.on("message", ({ lane: number, job, stop, cancel }) => {
  if (number !== undefined) {
    const answer = answers.get(number);
    answers.delete(number);
    answer(job);
  }
  if (stop) {
    reader.stopped = true;
    for (const { connection } of connections) connection.abort(new Transient("the sync stops"));
  }
  if (cancel !== undefined)
    for (const { connection } of connections)
      if (connection.job === cancel) connection.abort(new Refusal("E_CANCELLED", "not needed"));
});

// Silence is measured only while the network is waited for: a disk that is slow is no reason to give up.
const watch = setInterval(
  () => {
    const now = Date.now();
    for (const { connection } of connections)
      if (connection.busy && now - connection.heardAt > plan.idleMs)
        connection.abort(new Transient(`no bytes for ${plan.idleMs} ms`));
  },
  Math.min(1000, plan.idleMs / 4),
);

const report = setInterval(() => {
  parentPort.postMessage({ kind: "received", received, writeMs });
}, 250);

await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
clearInterval(watch);
clearInterval(report);
// Writes that are under way hold the thread until they have told their end.
parentPort.postMessage({ kind: "received", received, writeMs });
parentPort.unref();
