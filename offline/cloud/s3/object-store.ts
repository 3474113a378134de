import { createHash, randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { ApiError } from "../proxy/api-request.ts";
import { checksumNames, newChecksum, type ChecksumName } from "./checksums.ts";

/** A stored body: its file and what was learned while it was written. */
export interface Blob {
  readonly file: string;
  readonly size: number;
  readonly md5: Buffer;
  readonly checksums: Partial<Record<ChecksumName, string>>;
}

/** An object of a bucket. */
export interface StoredObject extends Blob {
  readonly key: string;
  /** With its quotes. */
  readonly etag: string;
  readonly modified: Date;
  /** `content-type`, `x-amz-meta-*` and the like, given back as they came. */
  readonly headers: Readonly<Record<string, string>>;
  readonly checksumType: "FULL_OBJECT" | "COMPOSITE";
  /** Sizes of the parts that it was uploaded in; empty for a single PUT. */
  readonly partSizes: readonly number[];
  tags: ReadonlyMap<string, string>;
}

/** A multipart upload that is not complete. */
export interface Upload {
  readonly id: string;
  readonly key: string;
  readonly started: Date;
  readonly headers: Readonly<Record<string, string>>;
  readonly algorithm: ChecksumName | undefined;
  readonly checksumType: "FULL_OBJECT" | "COMPOSITE";
  readonly tags: ReadonlyMap<string, string>;
  readonly parts: Map<number, Blob & { readonly modified: Date }>;
}

/** A bucket's objects and uploads; what else a bucket has is moto's. */
export interface Bucket {
  readonly name: string;
  readonly objects: Map<string, StoredObject>;
  readonly uploads: Map<string, Upload>;
}

/** What a writer declared of a body; each is checked against what came. */
export interface Declared {
  readonly checksums: Partial<Record<ChecksumName, string>>;
  readonly contentMd5?: string | undefined;
  /** Checksums to make although no value was declared. */
  readonly wanted: readonly ChecksumName[];
}

/** Objects as files in a folder, with their index in memory: a cloud does not outlive its process. */
export class ObjectStore {
  readonly #folder: string;
  readonly #buckets = new Map<string, Bucket>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  addBucket(name: string): void {
    if (this.#buckets.has(name)) return;
    this.#buckets.set(name, { name, objects: new Map(), uploads: new Map() });
  }

  removeBucket(name: string): void {
    this.#buckets.delete(name);
  }

  bucket(name: string): Bucket {
    const found = this.#buckets.get(name);
    if (found === undefined) {
      throw new ApiError("NoSuchBucket", `The specified bucket does not exist: ${name}`, 404);
    }
    return found;
  }

  object(bucket: string, key: string): StoredObject {
    const found = this.bucket(bucket).objects.get(key);
    if (found === undefined) {
      throw new ApiError("NoSuchKey", `The specified key does not exist: ${key}`, 404);
    }
    return found;
  }

  /** Puts an object in its bucket; the file of the one that it replaces goes. */
  async put(bucket: string, object: StoredObject): Promise<void> {
    const objects = this.bucket(bucket).objects;
    const before = objects.get(object.key);
    objects.set(object.key, object);
    if (before !== undefined) await rm(before.file, { force: true });
  }

  async remove(bucket: string, key: string): Promise<void> {
    const objects = this.bucket(bucket).objects;
    const before = objects.get(key);
    objects.delete(key);
    if (before !== undefined) await rm(before.file, { force: true });
  }

  upload(bucket: string, id: string): Upload {
    const found = this.bucket(bucket).uploads.get(id);
    if (found === undefined) {
      throw new ApiError("NoSuchUpload", "The specified multipart upload does not exist.", 404);
    }
    return found;
  }

  async endUpload(bucket: string, id: string): Promise<void> {
    const upload = this.upload(bucket, id);
    this.bucket(bucket).uploads.delete(id);
    for (const part of upload.parts.values()) await rm(part.file, { force: true });
  }

  /**
   * Writes a body to a file of its own; `declared` is read again at the end, when trailers are known.
   * @throws {ApiError} BadDigest when a declared checksum is not that of the body.
   */
  async write(source: AsyncIterable<Buffer>, declared: () => Declared): Promise<Blob> {
    const file = join(this.#folder, randomUUID());
    const handle = await open(file, "wx");
    const md5 = createHash("md5");
    const announced = declared();
    const names = new Set([
      ...checksumNames.filter((name) => name in announced.checksums),
      ...announced.wanted,
    ]);
    const sums = [...names].map((name) => ({ name, sum: newChecksum(name) }));
    let size = 0;
    try {
      for await (const piece of source) {
        md5.update(piece);
        for (const { sum } of sums) sum.update(piece);
        // Not `write`, which near the end of a disk writes a part and says how much.
        await handle.writeFile(piece);
        size += piece.length;
      }
      const blob: Blob = {
        file,
        size,
        md5: md5.digest(),
        checksums: Object.fromEntries(sums.map(({ name, sum }) => [name, sum.digest()])),
      };
      check(blob, declared());
      return blob;
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  }
}

function check(blob: Blob, declared: Declared): void {
  for (const [name, value] of Object.entries(declared.checksums)) {
    if (blob.checksums[name as ChecksumName] !== value) {
      throw new ApiError(
        "BadDigest",
        `The ${name.toUpperCase()} you specified did not match the calculated checksum.`,
      );
    }
  }
  if (declared.contentMd5 !== undefined && blob.md5.toString("base64") !== declared.contentMd5) {
    throw new ApiError(
      "BadDigest",
      "The Content-MD5 you specified did not match what we received.",
    );
  }
}
