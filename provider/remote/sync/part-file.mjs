// A file too large for one request, on its way: its bytes in a staging folder, and a journal of the ranges that are safely
// on disk.

import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { algorithms, combine, encode } from "./checksums.mjs";
import { preallocate, syncPath } from "./folder.mjs";

const pageBytes = 4096;
/** A program is started for it: smaller files are written sooner without. */
const preallocateFrom = 512 * 1024 * 1024;

/** The checksum the journal keeps for each range: S3's own for the object where that can be folded, else CRC32. */
function journalAlgorithm(file) {
  const name = file.checksum?.algorithm;
  return name !== undefined && name in algorithms ? name : "CRC32";
}

/** Ranges that end where the parts of the upload end, since a checksum of parts' checksums is taken part by part. */
function rangesOf({ size, partBytes = size }, rangeBytes) {
  const ranges = [];
  for (let part = 0; part * partBytes < size; part++) {
    const end = Math.min(size, (part + 1) * partBytes);
    for (let start = part * partBytes; start < end; start += rangeBytes)
      ranges.push({ index: ranges.length, part, start, length: Math.min(rangeBytes, end - start) });
  }
  return ranges;
}

/** Opened so that bytes go past the page cache, where the file system takes that: a third of the processor time. */
async function openForWriting(path, mode, aligned) {
  const flags = constants.O_RDWR | constants.O_CREAT;
  const plain = await open(path, flags, mode);
  if (!aligned || constants.O_DIRECT === undefined) return { handle: plain, direct: false };
  const direct = await open(path, flags | constants.O_DIRECT, mode).catch(() => undefined);
  if (direct === undefined) return { handle: plain, direct: false };
  await plain.close();
  return { handle: direct, direct: true };
}

export class PartFile {
  /** Jobs of this file that lanes have. */
  busy = 0;
  /** Bytes that came in this run. */
  arrived = 0;
  /** Whether its bytes were fetched a second time for a wrong checksum. */
  again = false;

  constructor(file, staging, plan) {
    this.file = file;
    this.mode = plan.fileMode;
    this.rangeBytes = plan.rangeBytes;
    this.algorithm = journalAlgorithm(file);
    const name = createHash("sha256").update(file.path).digest("hex").slice(0, 24);
    this.path = join(staging, `${name}.part`);
    this.journalPath = join(staging, `${name}.journal`);
    this.done = new Map(); // range index -> checksum
    this.pending = [];
    this.ranges = rangesOf(file, plan.rangeBytes);
    this.aligned = this.ranges.every(({ start }) => start % pageBytes === 0);
    // Direct writes are of whole pages.
    this.roomBytes = Math.ceil(file.size / pageBytes) * pageBytes;
  }

  get header() {
    const { key, etag, size, partBytes } = this.file;
    const { rangeBytes, algorithm } = this;
    return JSON.stringify({ key, etag, size, partBytes, rangeBytes, algorithm });
  }

  /** Reads what an earlier run left; anything that is not of this very object is thrown away. */
  async load() {
    const text = await readFile(this.journalPath, "latin1").catch(() => "");
    const [header, ...lines] = text.split("\n");
    const there = await stat(this.path).catch(() => undefined);
    if (header !== this.header || there?.size !== this.roomBytes) return this.discard();
    // A line counts only when its end is there too: the last one may be torn.
    for (const line of lines.slice(0, -1)) {
      const match = /^(\d+) ([0-9a-f]+)$/.exec(line);
      if (match !== null && Number(match[1]) < this.ranges.length)
        this.done.set(Number(match[1]), BigInt(`0x${match[2]}`));
    }
  }

  async discard() {
    this.done.clear();
    this.arrived = 0;
    this.pending = [];
    await rm(this.path, { force: true });
    await rm(this.journalPath, { force: true });
  }

  missing() {
    return this.ranges.filter(({ index }) => !this.done.has(index));
  }

  missingBytes() {
    return this.missing().reduce((sum, { length }) => sum + length, 0);
  }

  get complete() {
    return this.done.size === this.ranges.length;
  }

  async open() {
    Object.assign(this, await openForWriting(this.path, this.mode, this.aligned));
    const { size } = await this.handle.stat();
    if (size !== this.roomBytes) {
      await this.handle.truncate(this.roomBytes);
      if (this.roomBytes >= preallocateFrom) await preallocate(this.path, this.roomBytes);
    }
    this.journal = await open(this.journalPath, "a", this.mode);
    if ((await this.journal.stat()).size === 0) await this.journal.write(`${this.header}\n`);
  }

  async close() {
    await this.handle?.close();
    await this.journal?.close();
    this.handle = this.journal = undefined;
  }

  /** A finished range counts now, and survives a crash after the next {@link flush}. */
  finish(index, checksum) {
    if (this.done.has(index)) return;
    this.arrived += this.ranges[index].length;
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

  /** The folded checksum of each part; one of the whole where the parts do not matter. */
  #parts(whole) {
    const parts = [];
    for (const { index, part, length } of this.ranges) {
      const at = whole ? 0 : part;
      parts[at] = combine(this.algorithm, parts[at] ?? 0n, this.done.get(index), length);
    }
    return parts;
  }

  #composite() {
    const parts = this.#parts(false);
    const digests = parts.map((value) => Buffer.from(encode(this.algorithm, value), "base64"));
    const value = algorithms[this.algorithm].update(Buffer.concat(digests), 0n);
    return `${encode(this.algorithm, value)}-${parts.length}`;
  }

  /** Hashes what is on the disk, each part on its own. */
  async #readBack(hash) {
    const handle = await open(this.path, "r");
    const digests = [];
    const { size, partBytes = size } = this.file;
    const buffer = Buffer.allocUnsafe(1 << 20);
    try {
      for (let part = 0; part * partBytes < size; part++) {
        const digest = createHash(hash);
        const end = Math.min(size, (part + 1) * partBytes);
        for (let at = part * partBytes; at < end;) {
          const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, end - at), at);
          if (bytesRead === 0) break;
          digest.update(buffer.subarray(0, bytesRead));
          at += bytesRead;
        }
        digests.push(digest.digest());
      }
      return digests;
    } finally {
      await handle.close();
    }
  }

  /** The ETag of an upload in parts: the MD5 of the parts' MD5s. */
  async #etag() {
    const digests = await this.#readBack("md5");
    if (this.file.partBytes === undefined) return digests[0].toString("hex");
    return `${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${digests.length}`;
  }

  /** Compares the whole file with what S3 knows of it; gives `by`, or `damage` in words. */
  async verify() {
    const { checksum, etag, etagIsMd5, partBytes, key } = this.file;
    let got, wanted, by;
    if (checksum !== undefined && checksum.algorithm in algorithms) {
      const composite = checksum.value.includes("-");
      got = composite ? this.#composite() : encode(this.algorithm, this.#parts(true)[0] ?? 0n);
      [wanted, by] = [checksum.value, checksum.algorithm];
    } else if (checksum?.algorithm === "SHA256" && partBytes === undefined) {
      const [digest] = await this.#readBack("sha256");
      [got, wanted, by] = [digest.toString("base64"), checksum.value, "SHA256"];
    } else if (etagIsMd5 === true) {
      [got, wanted, by] = [await this.#etag(), etag.replaceAll('"', ""), "MD5"];
    } else return { by: "size" };
    if (got === wanted) return { by };
    return { damage: `${key} arrived damaged: its ${by} is ${got}, and S3 says ${wanted}` };
  }

  /** Puts the finished file in place under its own name, durably. */
  async commit(target) {
    await this.handle.truncate(this.file.size);
    await this.handle.sync();
    const { mtimeMs } = await this.handle.stat();
    await this.close();
    await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    await rename(this.path, target);
    await syncPath(dirname(target));
    await rm(this.journalPath, { force: true });
    return mtimeMs;
  }
}
