// Brings the files of a plan from S3 into a folder, and tells whether a folder still holds them.
// It runs on the host under Node >= 22 and needs nothing else.
//
//   node main.mjs sync PLAN.json      prints `@progress {...}` lines, then `@result {...}` or `@error {...}`
//   node main.mjs check FOLDER        prints `@result {...}`
//
// Exit status: 0 done, 1 failed, 3 an object changed under way (plan again), 4 another sync of the folder runs.

import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, statfs } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { algorithms } from "./checksums.mjs";
import { PartFile, syncFolder } from "./part-file.mjs";
import { Changed, getRange, InstanceCredentials, signedHeaders, Transient } from "./s3-get.mjs";

const say = (kind, value) => process.stdout.write(`@${kind} ${JSON.stringify(value)}\n`);

class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function mebibytes(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

async function writeDurably(folder, name, text) {
  const temporary = join(folder, ".sync", `${name.replaceAll("/", "_")}.tmp`);
  const handle = await open(temporary, "w", 0o644);
  await handle.writeFile(text);
  await handle.sync();
  await handle.close();
  await rename(temporary, join(folder, name));
  await syncFolder(folder);
}

async function readJson(path, fallback) {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return fallback;
  }
}

/** The place of a file, refused when it would lie outside the folder or among the sync's own files. */
function targetOf(folder, path) {
  const target = resolve(folder, path);
  const inside = target.startsWith(resolve(folder) + sep);
  const own = path === "manifest.json" || path.split("/")[0] === ".sync";
  if (!inside || own || path.includes("\0") || path.split("/").includes("..")) {
    throw new Refusal(
      "E_PATH",
      `the object name "${path}" is not allowed: it would lie outside ${folder}`,
    );
  }
  return target;
}

/** Takes the folder's lock; one that a dead process left is taken over. */
async function lock(staging) {
  const path = join(staging, "lock");
  for (let attempt = 0; attempt < 3; attempt++) {
    const handle = await open(path, "wx").catch(() => undefined);
    if (handle !== undefined) {
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(path, { force: true });
    }
    const holder = Number(await readFile(path, "utf8").catch(() => "0"));
    if (holder > 0 && holder !== process.pid && alive(holder)) {
      throw new Refusal("E_BUSY", `another sync of this folder runs (process ${holder})`);
    }
    await rm(path, { force: true });
  }
  throw new Refusal("E_BUSY", `the lock ${path} cannot be taken`);
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

class Sync {
  constructor(plan) {
    this.plan = { lanes: 16, rangeBytes: 8 * 1024 * 1024, idleMs: 10_000, attempts: 6, ...plan };
    this.staging = join(plan.folder, ".sync");
    this.credentials = new InstanceCredentials();
    this.received = 0;
    this.ready = 0;
    this.total = plan.files.reduce((sum, { size }) => sum + size, 0);
    this.verifiedBy = {};
  }

  /** What is on disk already, by the state that each finished file left. */
  async stale() {
    this.state = await readJson(join(this.staging, "state.json"), {});
    const stale = [];
    for (const file of this.plan.files) {
      const known = this.state[file.path];
      const target = targetOf(this.plan.folder, file.path);
      const there = await stat(target).catch(() => undefined);
      const same =
        there?.isFile() === true &&
        there.size === file.size &&
        known?.etag === file.etag &&
        known?.size === file.size &&
        known?.mtimeMs === there.mtimeMs;
      if (same) {
        this.ready += file.size;
        this.verifiedBy[file.path] = known.verifiedBy;
      } else stale.push(file);
    }
    return stale;
  }

  async checkRoom(parts) {
    const needed = parts.reduce((sum, part) => sum + part.missingBytes(), 0);
    const { bavail, bsize } = await statfs(this.plan.folder);
    const wanted = Math.ceil(needed * 1.02) + 16 * 1024 * 1024;
    if (needed > 0 && bavail * bsize < wanted) {
      throw new Refusal(
        "E_DISK",
        `${this.plan.folder} has ${mebibytes(bavail * bsize)} free, and ${mebibytes(wanted)} are needed for the ${mebibytes(needed)} that are missing`,
      );
    }
  }

  async run() {
    const began = Date.now();
    await mkdir(this.staging, { recursive: true });
    const unlock = await lock(this.staging);
    try {
      const stale = await this.stale();
      const parts = stale.map((file) => new PartFile(file, this.staging, this.plan.rangeBytes));
      for (const part of parts) await part.load();
      await this.checkRoom(parts);
      for (const part of parts) this.ready += part.file.size - part.missingBytes();
      await this.transfer(parts);
      const sha256 = await this.writeManifest();
      const { received, verifiedBy } = this;
      const seconds = (Date.now() - began) / 1000;
      say("result", {
        received,
        seconds,
        fetchedFiles: stale.length,
        manifestSha256: sha256,
        verifiedBy,
      });
    } finally {
      await unlock();
    }
  }

  async transfer(parts) {
    const jobs = parts.flatMap((part) => part.missing().map((range) => ({ part, range })));
    for (const part of parts) if (part.missing().length === 0) await this.commit(part);
    const failures = [];
    let flushing = Promise.resolve();
    const keep = setInterval(() => {
      flushing = flushing.then(() => this.flush(parts)).catch((error) => failures.push(error));
      this.progress();
    }, 1000);
    let next = 0;
    const lane = async () => {
      while (next < jobs.length && failures.length === 0) {
        const { part, range } = jobs[next++];
        part.opening ??= part.open();
        await part.opening;
        await this.fetchRange(part, range);
        if (part.done.size === part.count && part.committing !== true) {
          part.committing = true;
          await (flushing = flushing.then(() => part.flush()));
          await this.commit(part);
        }
      }
    };
    const lanes = Array.from({ length: Math.min(this.plan.lanes, jobs.length) }, () =>
      lane().catch((error) => failures.push(error)),
    );
    await Promise.all(lanes);
    clearInterval(keep);
    // What was fetched is kept for the next run even where this one failed.
    await flushing.then(() => this.flush(parts)).catch((error) => failures.push(error));
    for (const part of parts) await part.close();
    const changed = failures.find((error) => error instanceof Changed);
    if (changed !== undefined) for (const part of parts) await part.discard();
    if (failures.length > 0) throw changed ?? failures[0];
    this.progress();
  }

  async flush(parts) {
    for (const part of parts) await part.flush();
  }

  progress() {
    say("progress", { ready: this.ready, total: this.total, received: this.received });
  }

  async fetchRange(part, range) {
    for (let attempt = 1; ; attempt++) {
      let counted = 0;
      try {
        let checksum = 0n;
        await this.get(part.file, range, async (chunk, at) => {
          for (let put = 0; put < chunk.length;) {
            const { bytesWritten } = await part.handle.write(
              chunk,
              put,
              chunk.length - put,
              at + put,
            );
            put += bytesWritten;
          }
          checksum = algorithms[part.algorithm].update(chunk, checksum);
          counted += chunk.length;
          this.received += chunk.length;
          this.ready += chunk.length;
        });
        part.finish(range.index, checksum);
        return;
      } catch (error) {
        this.ready -= counted;
        if (error.code === "ENOSPC")
          throw new Refusal("E_DISK", `the disk of ${this.plan.folder} is full`);
        if (!(error instanceof Transient)) throw error;
        if (attempt >= this.plan.attempts)
          throw new Refusal("E_NETWORK", `${error.message} (${attempt} tries)`);
        await sleep(Math.min(8000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2));
      }
    }
  }

  /** By the instance's role where it has one; a presigned address is the other way, and the second try of a refusal. */
  async get(file, { start, end }, take) {
    const presigned = new URL(file.url);
    const common = { file, start, end, lanes: this.plan.lanes, idleMs: this.plan.idleMs };
    const role = await this.credentials.get();
    if (role !== undefined) {
      const url = new URL(presigned.origin + presigned.pathname);
      const headers = signedHeaders(url, this.plan.region, role);
      try {
        return await getRange({ ...common, url, headers }, take);
      } catch (error) {
        if (error.status === undefined) throw error;
      }
    }
    return getRange({ ...common, url: presigned, headers: {} }, take);
  }

  async commit(part) {
    if (part.handle === undefined) await part.open();
    const verifiedBy = await part.verify().catch(async (error) => {
      await part.close();
      await part.discard();
      throw new Refusal("E_CHECKSUM", error.message);
    });
    const { path, etag, size } = part.file;
    const mtimeMs = await part.commit(targetOf(this.plan.folder, path));
    this.verifiedBy[path] = verifiedBy;
    this.state[path] = { etag, size, mtimeMs, verifiedBy };
    this.saving = (this.saving ?? Promise.resolve()).then(() =>
      writeDurably(this.plan.folder, ".sync/state.json", JSON.stringify(this.state)),
    );
    await this.saving;
  }

  /** The manifest comes last: where it is, all that it names is whole. */
  async writeManifest() {
    const { bucket, prefix, files } = this.plan;
    const listed = files.map(({ key, path, size, etag, checksum }) => ({
      key,
      path,
      size,
      etag,
      checksum: checksum ?? null,
    }));
    const text = `${JSON.stringify({ version: 1, bucket, prefix, files: listed }, null, 2)}\n`;
    const before = await readFile(join(this.plan.folder, "manifest.json"), "utf8").catch(() => "");
    if (before !== text) await writeDurably(this.plan.folder, "manifest.json", text);
    return createHash("sha256").update(text).digest("hex");
  }
}

/** Compares the disk with the manifest by size and time; reads no file's content. */
async function check(folder) {
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return say("result", { manifestSha256: "", damaged: [] });
  const manifest = JSON.parse(text);
  const state = await readJson(join(folder, ".sync", "state.json"), {});
  const damaged = [];
  for (const file of manifest.files) {
    const there = await stat(targetOf(folder, file.path)).catch(() => undefined);
    const known = state[file.path];
    const whole =
      there !== undefined &&
      there.size === file.size &&
      known?.etag === file.etag &&
      known.mtimeMs === there.mtimeMs;
    if (!whole) damaged.push(file.key);
  }
  const manifestSha256 = createHash("sha256").update(text).digest("hex");
  return say("result", { manifestSha256, damaged });
}

async function main([command, argument]) {
  if (command === "check") return check(argument);
  if (command !== "sync") throw new Refusal("E_USAGE", `unknown command ${command}`);
  const plan = await readJson(argument, undefined);
  if (plan === undefined) throw new Refusal("E_USAGE", `the plan ${argument} cannot be read`);
  return new Sync(plan).run();
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error) => {
    say("error", {
      code: error.code ?? (error instanceof Changed ? "E_CHANGED" : "E_SYNC"),
      message: error.message,
    });
    process.exit(error instanceof Changed ? 3 : error.code === "E_BUSY" ? 4 : 1);
  },
);
