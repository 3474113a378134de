import { createHash, type Hash } from "node:crypto";
import { UserError } from "../../components/user-error.ts";
import type { ManifestFile } from "../../components/weights/manifest.ts";
import { combine, encode } from "../../provider/remote/sync/checksums.mjs";
import { partBytesOf, type PartBuffers } from "./part-buffers.ts";
import type { PushSession } from "./push-session.ts";
import { errorName, WriteConflict } from "./s3-client.ts";
import type { SourceFile, WeightsSource } from "./source.ts";
import type { StoredPart, TargetBucket } from "./target-bucket.ts";

/** What an upload works with. */
export interface UploadTools {
  readonly source: WeightsSource;
  readonly target: TargetBucket;
  readonly session: PushSession;
  readonly buffers: PartBuffers;
  readonly signal: AbortSignal;
  /** Told of bytes that are in S3, sent now or there before. */
  readonly arrived: (bytes: number) => void;
  /** Told of bytes that went over the wire. */
  readonly sent: (bytes: number) => void;
}

/** SHA-256 over parts that come in any order: each waits for its turn. */
class OrderedHash {
  readonly #hash: Hash = createHash("sha256");
  #turn: Promise<void> = Promise.resolve();

  /** Keeps a place; call in order. @returns what adds the bytes once all before them are in */
  place(): { readonly add: (bytes: Buffer) => Promise<void>; readonly skip: () => void } {
    const before = this.#turn;
    let done: () => void = () => undefined;
    this.#turn = new Promise((resolve) => (done = resolve));
    return {
      add: async (bytes) => {
        await before;
        this.#hash.update(bytes);
        done();
      },
      skip: () => {
        done();
      },
    };
  }

  hex(): string {
    return this.#hash.digest("hex");
  }
}

function checkContent(
  path: string,
  algorithm: string,
  { said, found }: { readonly said: string | undefined; readonly found: string },
): void {
  if (said === undefined || said === found) return;
  throw new UserError(`${path} is not what its source says: the ${algorithm} differs.`, {
    problems: [`said: ${said}`, `received: ${found}`],
    hint: "Nothing of this file was kept. Push again; if it stays so, the source is damaged.",
  });
}

/** The id that git gives a content (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects). */
function gitBlobOf(body: Buffer): string {
  return createHash("sha1").update(`blob ${body.length}\0`).update(body).digest("hex");
}

/** A write that was refused although it is there already, as when the answer to the first try was lost; else the refusal. */
async function settle(
  error: unknown,
  file: { readonly path: string; readonly size: number },
  crc: string,
  target: TargetBucket,
): Promise<string> {
  const doubtful = error instanceof WriteConflict || errorName(error) === "NoSuchUpload";
  if (!doubtful) throw error;
  const there = await target.head(file.path).catch(() => undefined);
  const same =
    there?.size === file.size &&
    there.checksum?.algorithm === "CRC32" &&
    there.checksum.value === crc;
  if (same) return there.etag;
  throw new UserError(`${file.path} was written by somebody else during this push.`, {
    hint: "Make sure that nobody else writes to this prefix, then push again.",
    cause: error,
  });
}

async function uploadWhole(
  file: SourceFile,
  expected: string | undefined,
  tools: UploadTools,
): Promise<ManifestFile> {
  const { source, target, buffers, signal } = tools;
  const buffer = await buffers.take();
  try {
    const body = buffer.subarray(0, file.size);
    signal.throwIfAborted();
    await source.read(file, 0, body, signal);
    await source.finished(file);
    const sha256 = createHash("sha256").update(body).digest("hex");
    checkContent(file.path, "SHA-256", { said: file.sha256, found: sha256 });
    if (file.gitBlob !== undefined) {
      checkContent(file.path, "git blob", { said: file.gitBlob, found: gitBlobOf(body) });
    }
    const crc = encode("CRC32", buffers.crc("CRC32", body));
    const etag = await target
      .put(file, body, crc, expected)
      .catch((error: unknown) => settle(error, file, crc, target));
    tools.sent(file.size);
    tools.arrived(file.size);
    return written(file, etag, crc, sha256);
  } finally {
    buffers.give(buffer);
  }
}

function written(file: SourceFile, etag: string, crc: string, sha256: string): ManifestFile {
  const { path, size, version } = file;
  const known = version === undefined ? {} : { version };
  return { path, size, etag, checksum: { algorithm: "CRC32", value: crc }, sha256, ...known };
}

interface OpenUpload {
  readonly uploadId: string;
  readonly parts: ReadonlyMap<number, StoredPart>;
}

/** The upload that an earlier push began, with the parts that S3 has of it; else a new one. */
async function openUpload(
  file: SourceFile,
  partBytes: number,
  tools: UploadTools,
): Promise<OpenUpload> {
  const { session, target } = tools;
  const before = session.uploads[file.path];
  if (before !== undefined) {
    const parts =
      before.partBytes === partBytes && (await target.parts(file.path, before.uploadId));
    if (Array.isArray(parts)) {
      const known = (parts as StoredPart[]).map((part) => [part.number, part] as const);
      return { uploadId: before.uploadId, parts: new Map(known) };
    }
    await target.abort(file.path, before.uploadId);
  }
  const uploadId = await target.createUpload(file);
  await session.noteUpload(file.path, { uploadId, partBytes });
  return { uploadId, parts: new Map() };
}

interface PartJob {
  readonly file: SourceFile;
  readonly upload: OpenUpload;
  readonly number: number;
  readonly start: number;
  readonly hash: ReturnType<OrderedHash["place"]>;
}

/** Reads a part, and sends it unless S3 has the same one already. */
async function sendPart(
  { file, upload, number, start, hash }: PartJob,
  body: Buffer,
  tools: UploadTools,
): Promise<StoredPart & { readonly crc: bigint }> {
  const { source, target, buffers, signal } = tools;
  try {
    await source.read(file, start, body, signal);
    const crc = buffers.crc("CRC32", body);
    const crcBase64 = encode("CRC32", crc);
    const there = upload.parts.get(number);
    const same = there?.size === body.length && there.crc32 === crcBase64;
    const place = { path: file.path, uploadId: upload.uploadId, number };
    const [etag] = await Promise.all([
      same ? there.etag : target.uploadPart(place, body, crcBase64),
      hash.add(body),
    ]);
    if (!same) tools.sent(body.length);
    tools.arrived(body.length);
    return { number, size: body.length, etag, crc32: crcBase64, crc };
  } finally {
    hash.skip();
  }
}

async function uploadParts(
  file: SourceFile,
  upload: OpenUpload,
  partBytes: number,
  tools: UploadTools,
): Promise<{
  readonly parts: readonly StoredPart[];
  readonly crc: string;
  readonly sha256: string;
}> {
  const stop = new AbortController();
  const signal = AbortSignal.any([tools.signal, stop.signal]);
  const hash = new OrderedHash();
  const tasks: Promise<StoredPart & { readonly crc: bigint }>[] = [];
  for (let start = 0; start < file.size && !signal.aborted; start += partBytes) {
    const buffer = await tools.buffers.take();
    const body = buffer.subarray(0, Math.min(partBytes, file.size - start));
    const job = { file, upload, number: tasks.length + 1, start, hash: hash.place() };
    const task = sendPart(job, body, { ...tools, signal }).finally(() => {
      tools.buffers.give(buffer);
    });
    task.catch((error: unknown) => {
      stop.abort(error);
    });
    tasks.push(task);
  }
  await Promise.allSettled(tasks);
  signal.throwIfAborted();
  const parts = await Promise.all(tasks);
  const whole = parts.reduce((sum, part) => combine("CRC32", sum, part.crc, part.size), 0n);
  return { parts, crc: encode("CRC32", whole), sha256: hash.hex() };
}

/**
 * Brings one file into the bucket and proves that it is whole there.
 *
 * @param expected ETag of the object that it replaces; undefined when there is none
 * @throws UserError when the file changed, is not what its source says, or somebody else writes the same object
 */
export async function uploadFile(
  file: SourceFile,
  expected: string | undefined,
  tools: UploadTools,
): Promise<ManifestFile> {
  const { source, target, session } = tools;
  const partBytes = partBytesOf(file.size);
  if (file.size <= partBytes) return uploadWhole(file, expected, tools);
  const upload = await openUpload(file, partBytes, tools);
  const { parts, crc, sha256 } = await uploadParts(file, upload, partBytes, tools);
  try {
    await source.finished(file);
    checkContent(file.path, "SHA-256", { said: file.sha256, found: sha256 });
  } catch (error) {
    await target.abort(file.path, upload.uploadId);
    session.dropUpload(file.path);
    throw error;
  }
  const whole = { path: file.path, uploadId: upload.uploadId, size: file.size };
  const checksum = { algorithm: "CRC32" as const, value: crc };
  const etag = await target
    .complete(whole, parts, { checksum }, expected)
    .catch((error: unknown) => settle(error, file, crc, target));
  session.dropUpload(file.path);
  return written(file, etag, crc, sha256);
}
