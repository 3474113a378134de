// A file on its way: its bytes in a staging folder, and a journal of the ranges that are safely on disk.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readFile, rename, rm, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { algorithms, combine, encode } from "./checksums.mjs";

/** Fsyncs a folder, so that a rename in it survives a power cut. */
export async function syncFolder(folder) {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The checksum the journal keeps for each range: S3's own for the object where that can be folded, else CRC32. */
function journalAlgorithm(file) {
  const name = file.checksum?.algorithm;
  return name !== undefined && name in algorithms ? name : "CRC32";
}

export class PartFile {
  constructor(file, staging, rangeBytes) {
    this.file = file;
    this.rangeBytes = rangeBytes;
    this.algorithm = journalAlgorithm(file);
    const name = createHash("sha256").update(file.path).digest("hex").slice(0, 24);
    this.path = join(staging, `${name}.part`);
    this.journalPath = join(staging, `${name}.journal`);
    this.done = new Map(); // range index -> checksum
    this.pending = [];
    this.count = Math.ceil(file.size / rangeBytes);
  }

  get header() {
    const { key, etag, size } = this.file;
    return JSON.stringify({
      key,
      etag,
      size,
      rangeBytes: this.rangeBytes,
      algorithm: this.algorithm,
    });
  }

  range(index) {
    const start = index * this.rangeBytes;
    return { index, start, end: Math.min(start + this.rangeBytes, this.file.size) - 1 };
  }

  /** Reads what an earlier run left; anything that is not of this very object is thrown away. */
  async load() {
    const text = await readFile(this.journalPath, "latin1").catch(() => "");
    const [header, ...lines] = text.split("\n");
    if (header === this.header) {
      // A line counts only when its end is there too: the last one may be torn.
      for (const line of lines.slice(0, -1)) {
        const match = /^(\d+) ([0-9a-f]+)$/.exec(line);
        if (match !== null && Number(match[1]) < this.count)
          this.done.set(Number(match[1]), BigInt(`0x${match[2]}`));
      }
    }
    const there = await open(this.path, "r").catch(() => undefined);
    const size = there === undefined ? -1 : (await there.stat()).size;
    await there?.close();
    if (size !== this.file.size || header !== this.header) await this.discard();
  }

  async discard() {
    this.done.clear();
    await rm(this.path, { force: true });
    await rm(this.journalPath, { force: true });
  }

  missing() {
    const all = Array.from({ length: this.count }, (_, index) => index);
    return all.filter((index) => !this.done.has(index)).map((index) => this.range(index));
  }

  missingBytes() {
    return this.missing().reduce((sum, { start, end }) => sum + end - start + 1, 0);
  }

  async open() {
    this.handle = await open(this.path, constants.O_RDWR | constants.O_CREAT, 0o644);
    await this.handle.truncate(this.file.size);
    this.journal = await open(this.journalPath, "a", 0o644);
    if ((await this.journal.stat()).size === 0) await this.journal.write(`${this.header}\n`);
  }

  async close() {
    await this.handle?.close();
    await this.journal?.close();
    this.handle = this.journal = undefined;
  }

  /** A finished range counts now, and survives a crash after the next {@link flush}. */
  finish(index, checksum) {
    this.done.set(index, checksum);
    this.pending.push(`${index} ${checksum.toString(16)}\n`);
  }

  /** The data goes to disk before the journal says that it is there. */
  async flush() {
    if (this.pending.length === 0 || this.handle === undefined) return;
    const lines = this.pending.splice(0).join("");
    await this.handle.datasync();
    await this.journal.write(lines);
    await this.journal.datasync();
  }

  #foldedChecksum() {
    let value = 0n;
    for (let index = 0; index < this.count; index++) {
      const { start, end } = this.range(index);
      value = combine(this.algorithm, value, this.done.get(index), end - start + 1);
    }
    return encode(this.algorithm, value);
  }

  async #readBack(hash, encoding) {
    const digest = createHash(hash);
    const buffer = Buffer.allocUnsafe(1 << 20);
    for (let at = 0; at < this.file.size;) {
      const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) break;
      digest.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return digest.digest(encoding);
  }

  /** Compares the whole file with what S3 knows of it; tells by what, or throws. */
  async verify() {
    const { checksum, etag, key } = this.file;
    let got, wanted, by;
    if (checksum !== undefined && checksum.algorithm in algorithms) {
      [got, wanted, by] = [this.#foldedChecksum(), checksum.value, checksum.algorithm];
    } else if (checksum?.algorithm === "SHA256") {
      [got, wanted, by] = [await this.#readBack("sha256", "base64"), checksum.value, "SHA256"];
    } else if (this.file.etagIsMd5 === true) {
      [got, wanted, by] = [await this.#readBack("md5", "hex"), etag.replaceAll('"', ""), "MD5"];
    } else return "size";
    if (got !== wanted)
      throw new Error(`${key} arrived damaged: its ${by} is ${got}, and S3 says ${wanted}`);
    return by;
  }

  /** Puts the finished file in place under its own name, durably. */
  async commit(target) {
    await this.handle.sync();
    const { mtimeMs } = await this.handle.stat();
    await this.close();
    await mkdir(dirname(target), { recursive: true });
    await rename(this.path, target);
    await syncFolder(dirname(target));
    await rm(this.journalPath, { force: true });
    return mtimeMs;
  }
}
