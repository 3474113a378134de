// One sync of a folder: what is stale, the transfer, what is committed when, the manifest.

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { checkRoom, lock, readJson, targetOf, writeDurably } from "./folder.mjs";
import { ceiling } from "./ceiling.mjs";
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
  #flushing = Promise.resolve();
  #dirty = false;
  #running; // the transfer

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
    for (const { path } of this.plan.files) targetOf(this.plan.folder, path);
    await mkdir(this.staging, { mode: 0o750 }).catch((error) => {
      if (error.code !== "EEXIST") throw error;
    });
    const release = await lock(this.plan.folder, (pid) => {
      this.#say("waiting", { pid });
    });
    try {
      const stale = await this.#stale();
      const small = stale.filter(({ file }) => file.size <= this.plan.rangeBytes);
      const parts = stale
        .filter(({ file }) => file.size > this.plan.rangeBytes)
        .map(({ file }) => new PartFile(file, this.staging, this.plan));
      for (const part of parts) await part.load();
      const missing = parts.reduce((sum, part) => sum + part.missingBytes(), 0);
      const bytes = small.reduce((sum, { file }) => sum + file.size, missing);
      await checkRoom(this.plan.folder, bytes);
      this.ready = this.total - bytes;
      // While files change, no manifest may say that all is whole.
      if (stale.length > 0) await rm(join(this.plan.folder, "manifest.json"), { force: true });
      if (bytes >= ceilingFromBytes) this.ceiling = await ceiling(this.staging);
      const transfer = await this.#transfer(parts, small);
      await this.#sweep();
      const manifestSha256 = await this.#writeManifest();
      const seconds = (Date.now() - began) / 1000;
      const { received, writeMs } = transfer;
      const { troubles } = this;
      return { received, seconds, fetchedFiles: stale.length, manifestSha256, troubles, writeMs };
    } finally {
      release();
    }
  }

  /** What is not on disk yet, by the state that each finished file left. */
  async #stale() {
    this.state = await readJson(join(this.staging, "state.json"), {});
    const stale = [];
    for (const [index, file] of this.plan.files.entries()) {
      const known = this.state[file.path];
      const there = await stat(targetOf(this.plan.folder, file.path)).catch(() => undefined);
      const same =
        there?.isFile() === true &&
        there.size === file.size &&
        known?.etag === file.etag &&
        known?.size === file.size &&
        known?.mtimeMs === there.mtimeMs;
      if (!same) stale.push({ file, index });
    }
    return stale;
  }

  async #transfer(parts, small) {
    const transfer = new Transfer(this.plan, parts, small, {
      part: (part) => this.#commit(part),
      files: (results) => this.#arrived(results),
      changed: (part) => this.#changed(part),
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
      this.#flush(parts, false).catch((error) => transfer.fail(error));
      progress();
    }, 1000);
    this.#running = transfer;
    try {
      await transfer.run();
    } finally {
      this.#running = undefined;
      clearInterval(timer);
      // What was fetched is kept for the next run even where this one failed.
      await this.#flush(parts, true);
      for (const part of parts) await part.close();
    }
    progress();
    return transfer;
  }

  /** Ends the transfer early, and keeps what arrived; false when none is under way. */
  stop() {
    const error = new Refusal("E_STOPPED", "the sync was told to stop, as by a reboot");
    this.#running?.fail(error);
    return this.#running !== undefined;
  }

  /** One after the other: the journals of large files, and small files into their places. */
  #flush(parts, all) {
    this.#flushing = this.#flushing
      .catch(() => undefined)
      .then(async () => {
        for (const part of parts) await part.flush();
        if (all || this.#small.due) await this.#commitStaged();
        await this.#saveState();
      });
    return this.#flushing;
  }

  #trouble(message) {
    this.troubles += 1;
    if (this.troubles <= 20) this.#say("trouble", { message });
  }

  async #changed(part) {
    await part?.close();
    await part?.discard();
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

  async #saveState() {
    if (!this.#dirty) return;
    this.#dirty = false;
    await this.#writeDurably(".sync/state.json", JSON.stringify(this.state));
  }

  #writeDurably(name, text) {
    return writeDurably(this.plan.folder, name, text, this.plan.fileMode);
  }

  #arrived(results) {
    this.#small.add(results);
    for (const { index } of results) this.ready += this.plan.files[index].size;
  }

  /** Their names are on the disk before the state that says so. */
  async #commitStaged() {
    const fileOf = ({ index }) => this.plan.files[index];
    const staged = await this.#small.commit((done) =>
      targetOf(this.plan.folder, fileOf(done).path),
    );
    for (const done of staged) {
      const { mtimeMs, verifiedBy, checksum } = done;
      this.#know(fileOf(done), { mtimeMs, verifiedBy, checksum });
    }
  }

  /** Parts of objects that the plan does not name any more, and small files that a killed sync left. */
  async #sweep() {
    for (const name of await readdir(this.staging))
      if (/\.(part|journal|whole|tmp)$/.test(name)) await rm(join(this.staging, name));
  }

  /** The manifest comes last: where it is, all that it names is whole. */
  async #writeManifest() {
    const { bucket, prefix, files } = this.plan;
    const listed = files.map(({ key, path, size, etag }) => {
      const checksum = this.state[path].checksum ?? null;
      return { key, path, size, etag, checksum };
    });
    const text = `${JSON.stringify({ version: 1, bucket, prefix, files: listed }, null, 2)}\n`;
    const before = await readFile(join(this.plan.folder, "manifest.json"), "utf8").catch(() => "");
    if (before !== text) await this.#writeDurably("manifest.json", text);
    return createHash("sha256").update(text).digest("hex");
  }
}
