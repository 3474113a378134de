// One sync of a folder: what is stale, the transfer, what is committed when, the manifest.

import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { checkRoom, lock, readJson, targetOf } from "./folder.mjs";
import { ceiling } from "./ceiling.mjs";
import { staleFiles, sweep } from "./earlier-run.mjs";
import { Refusal } from "./outcome.mjs";
import { PartFile } from "./part-file.mjs";
import { SmallFiles } from "./small-files.mjs";
import { Transfer } from "./transfer.mjs";

const defaults = {
  /** Requests under way at the start, and at most. */
  lanes: 16,
  mostLanes: 64,
  rangeBytes: 8 * 1024 * 1024,
  /** Silence after which a request is given up. */
  idleMs: 10_000,
  attempts: 10,
  /** Weights are the login user's and its group's to read. */
  fileMode: 0o640,
};
/** From so much on it is worth a tenth of a second to know how fast the disk is. */
const ceilingFromBytes = 2 * 1024 ** 3;

export class Sync {
  #say;
  #small;
  #targets; // the places of the plan's files
  #flushing = Promise.resolve();
  #dirty = false;
  #running; // the transfer
  #finishing = false;
  #failure; // of what goes to the disk besides the transfer

  constructor(plan, say) {
    this.plan = { ...defaults, ...plan };
    this.#say = say;
    this.staging = join(plan.folder, ".sync");
    this.#small = new SmallFiles(this.staging);
    this.ready = 0;
    this.total = plan.files.reduce((sum, { size }) => sum + size, 0);
    this.troubles = 0;
  }

  async run() {
    const began = Date.now();
    this.#targets = this.plan.files.map(({ path }) => targetOf(this.plan.folder, path));
    await mkdir(this.staging, { mode: 0o750 }).catch((error) => {
      if (error.code !== "EEXIST") throw error;
    });
    const release = await lock(this.plan.folder, (pid) => {
      this.#say("waiting", { pid });
    });
    try {
      this.state = await readJson(join(this.staging, "state.json"), {});
      const stale = staleFiles(this.plan, this.state);
      const small = stale.filter(({ file }) => file.size <= this.plan.rangeBytes);
      const parts = stale
        .filter(({ file }) => file.size > this.plan.rangeBytes)
        .map(({ file }) => new PartFile(file, this.staging, this.plan));
      await sweep(this.staging, parts);
      for (const part of parts) await part.load();
      const missing = parts.reduce((sum, part) => sum + part.missingBytes(), 0);
      const bytes = small.reduce((sum, { file }) => sum + file.size, missing);
      await checkRoom(this.plan.folder, bytes);
      this.ready = this.total - bytes;
      // While files change, no manifest may say that all is whole.
      if (stale.length > 0) await rm(join(this.plan.folder, "manifest.json"), { force: true });
      if (bytes >= ceilingFromBytes) this.ceiling = await ceiling(this.staging);
      const transfer = await this.#transfer(parts, small);
      const manifestSha256 = await this.#finish();
      const seconds = (Date.now() - began) / 1000;
      const { received, writeMs } = transfer;
      const { troubles } = this;
      return { received, seconds, fetchedFiles: stale.length, manifestSha256, troubles, writeMs };
    } finally {
      release();
    }
  }

  async #transfer(parts, small) {
    const transfer = new Transfer(this.plan, parts, small, {
      part: (part) => this.#commit(part),
      files: (results) => this.#arrived(results),
      trouble: (message) => this.#trouble(message),
    });
    const progress = () =>
      this.#say("progress", {
        ready: this.ready + parts.reduce((sum, part) => sum + part.arrived, 0),
        total: this.total,
        received: transfer.received,
        lanes: transfer.pace.target,
        ceiling: this.ceiling,
      });
    const timer = setInterval(() => {
      this.#flush(parts).catch((error) => {
        this.#failure ??= error;
        transfer.fail(error);
      });
      progress();
    }, 1000);
    this.#running = transfer;
    try {
      await transfer.run().finally(() => clearInterval(timer));
      this.#finishing = true;
      await this.#flushing.catch(() => undefined);
      // It may have come too late for the transfer to hear of it.
      if (this.#failure !== undefined) throw this.#failure;
    } catch (error) {
      // What was fetched is kept for the next run even where this one failed.
      await this.#flush(parts, true);
      throw error;
    } finally {
      this.#running = undefined;
      for (const part of parts) await part.close();
    }
    progress();
    return transfer;
  }

  /** Ends the transfer early, and keeps what arrived; false when nothing is under way that would be lost. */
  stop() {
    const error = new Refusal("E_STOPPED", "the sync was told to stop, as by a reboot");
    this.#running?.fail(error);
    return this.#running !== undefined || this.#finishing;
  }

  /** One after the other: the journals of large files, and small files into their places. */
  #flush(parts, all = false) {
    this.#flushing = this.#flushing
      .catch(() => undefined)
      .then(async () => {
        for (const part of parts) await part.flush();
        if (all || this.#small.due || this.#dirty) await this.#place();
      });
    return this.#flushing;
  }

  #trouble(message) {
    this.troubles += 1;
    if (this.troubles <= 20) this.#say("trouble", { message });
  }

  /** Verifies a large file and puts it in place; false when it has to be fetched again. */
  async #commit(part) {
    part.opening ??= part.open();
    await part.opening;
    await this.#flushing.catch(() => undefined);
    // The file is about to be whole: its journal need not say so first.
    part.pending = [];
    const { by, damage } = await part.verify();
    if (damage !== undefined) {
      // What an earlier run had left of it counted as ready from the start.
      this.ready -= part.file.size - part.arrived;
      await part.close();
      await part.discard();
      part.opening = undefined;
      if (part.again) throw new Refusal("E_CHECKSUM", damage);
      part.again = true;
      this.#trouble(damage);
      return false;
    }
    const { file } = part;
    const mtimeMs = await part.commit(targetOf(this.plan.folder, file.path));
    this.#know(file, { mtimeMs, verifiedBy: by, checksum: file.checksum });
    return true;
  }

  #know({ path, etag, size }, rest) {
    this.state[path] = { etag, size, ...rest };
    this.#dirty = true;
  }

  #arrived(results) {
    this.#small.add(results);
    for (const { index } of results) this.ready += this.plan.files[index].size;
  }

  /** Puts the small files that wait in place, then the state that knows of them, then `texts`. */
  async #place(texts = () => []) {
    const staged = this.#small.take();
    const fileOf = ({ index }) => this.plan.files[index];
    for (const { index, ...rest } of staged) this.#know(fileOf({ index }), rest);
    const all = this.#dirty ? [this.#text(".sync/state.json", JSON.stringify(this.state))] : [];
    this.#dirty = false;
    all.push(...texts());
    const target = ({ index }) => this.#targets[index];
    if (all.length > 0) await this.#small.place(staged, target, all);
  }

  #text(name, text) {
    return { target: join(this.plan.folder, name), text, mode: this.plan.fileMode };
  }

  /** What came last gets in place, and the manifest after it: where that is, all that it names is whole. */
  async #finish() {
    let text = "";
    const before = await readFile(join(this.plan.folder, "manifest.json"), "utf8").catch(() => "");
    await this.#place(() => {
      text = this.#manifest();
      return text === before ? [] : [this.#text("manifest.json", text)];
    });
    return createHash("sha256").update(text).digest("hex");
  }

  #manifest() {
    const { bucket, prefix, files } = this.plan;
    const listed = files.map(({ key, path, size, etag }) => {
      const checksum = this.state[path].checksum ?? null;
      return { key, path, size, etag, checksum };
    });
    return `${JSON.stringify({ version: 1, bucket, prefix, files: listed }, null, 2)}\n`;
  }
}
