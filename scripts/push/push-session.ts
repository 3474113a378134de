import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import { crc32 } from "node:zlib";
import { UserError } from "../../components/user-error.ts";
import {
  manifestName,
  manifestText,
  parseManifest,
  type ManifestFile,
  type WeightsManifest,
} from "../../components/weights/manifest.ts";
import { isAlive } from "../../processes/process-alive.ts";
import { encode } from "../../provider/remote/sync/checksums.mjs";
import { WriteConflict } from "./s3-client.ts";
import type { TargetBucket } from "./target-bucket.ts";

/** A push that gave no sign of life for so long is dead, wherever it ran. */
const silenceMs = 3 * 60_000;
/** How often a push says that it lives. */
const beatMs = 30_000;
/** How long finished files may be missing from the manifest. */
const recordMs = 3000;

/** What lay under the prefix before. */
export interface Before {
  readonly manifest: WeightsManifest | undefined;
  /** Of the manifest object. */
  readonly etag: string | undefined;
}

/** A prefix that nobody pushed to. */
export const nothingBefore: Before = { manifest: undefined, etag: undefined };

/** What a push begins with. */
export interface SessionContent {
  readonly source: string;
  readonly unchanged: readonly ManifestFile[];
  /** Paths of earlier pushes that are not part of this one. */
  readonly left: readonly string[];
}

/** Reads the manifest of a prefix. */
export async function readManifest(target: TargetBucket): Promise<Before> {
  const found = await target.readText(manifestName);
  if (found === undefined) return nothingBefore;
  return { manifest: parseManifest(found.text), etag: found.etag };
}

function self(): string {
  return `${userInfo().username}@${hostname()}`;
}

/**
 * Holds a push while another one works under the same prefix.
 *
 * @throws UserError saying who does, and since when
 */
export function checkNobodyPushes({ manifest }: Before, takeOver: boolean, now: Date): void {
  if (manifest?.state !== "pushing" || takeOver) return;
  const { by, pid, startedAt, seenAt } = manifest.push;
  const dead = by === self() && (pid === process.pid || !isAlive(pid));
  if (dead || now.getTime() - Date.parse(seenAt) > silenceMs) return;
  throw new UserError(`${by} pushes ${manifest.source} to this prefix since ${startedAt}.`, {
    problems: [`process ${pid}, last sign of life at ${seenAt}`],
    hint: "Wait for it; if you know that it is dead, give --take-over.",
  });
}

/**
 * One push's hold on a prefix: the manifest says "pushing" from the first write on, names the uploads that are under way and
 * the files that are done, so that a push that was killed goes on from there, and says "complete" at the end. Each write of
 * it expects the last one, so of two pushes one stops.
 */
export class PushSession {
  readonly #target: TargetBucket;
  readonly #lost = new AbortController();
  readonly #files: Map<string, ManifestFile>;
  #manifest: WeightsManifest;
  #etag: string | undefined;
  #writing: Promise<void> = Promise.resolve();
  #queued: Promise<void> | undefined;
  #beat: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;

  /**
   * @param content the source's name, the files that are there already, and what earlier pushes left
   */
  constructor(target: TargetBucket, before: Before, content: SessionContent) {
    const now = new Date().toISOString();
    const push = { by: self(), pid: process.pid, startedAt: now, seenAt: now };
    this.#target = target;
    this.#etag = before.etag;
    this.#files = new Map(content.unchanged.map((file) => [file.path, file]));
    this.#manifest = {
      version: 1,
      state: "pushing",
      source: content.source,
      left: [...content.left],
      push: { id: randomBytes(6).toString("hex"), ...push },
      uploads: before.manifest?.uploads ?? {},
      files: [],
    };
  }

  /** Aborted when another push took the prefix over. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get uploads(): WeightsManifest["uploads"] {
    return this.#manifest.uploads;
  }

  /** Takes the prefix. @throws UserError when another push was faster */
  async begin(): Promise<void> {
    await this.#write();
    this.#beat = setInterval(() => void this.#write().catch(() => undefined), beatMs);
    this.#beat.unref();
  }

  /** Notes an upload before its first part is sent. */
  async noteUpload(path: string, upload: WeightsManifest["uploads"][string]): Promise<void> {
    this.#manifest = { ...this.#manifest, uploads: { ...this.uploads, [path]: upload } };
    await this.#write();
  }

  /** Notes an upload that has ended. */
  dropUpload(path: string): void {
    const others = Object.entries(this.uploads).filter(([each]) => each !== path);
    const uploads = Object.fromEntries(others);
    this.#manifest = { ...this.#manifest, uploads };
    this.#writeSoon();
  }

  /** Notes a file that is whole. */
  noteFile(file: ManifestFile): void {
    this.#files.set(file.path, file);
    this.#writeSoon();
  }

  /** Notes that a file of an earlier push is gone. */
  dropLeft(gone: string): void {
    const left = this.#manifest.left.filter((path) => path !== gone);
    this.#manifest = { ...this.#manifest, left };
    this.#writeSoon();
  }

  /** Writes the manifest that says "complete". */
  async finish(): Promise<WeightsManifest> {
    this.#manifest = { ...this.#manifest, state: "complete", uploads: {} };
    await this.#write();
    this.#stop();
    return { ...this.#manifest, files: [...this.#files.values()] };
  }

  /** Notes what is done so far, for the next push to go on from; never throws. */
  async abandon(): Promise<void> {
    this.#stop();
    if (!this.lost.aborted) await this.#write().catch(() => undefined);
  }

  #stop(): void {
    clearInterval(this.#beat);
    clearTimeout(this.#soon);
    this.#soon = undefined;
  }

  #writeSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      void this.#write().catch(() => undefined);
    }, recordMs).unref();
  }

  /** One write at a time; those that wait become one. */
  #write(): Promise<void> {
    this.#queued ??= this.#writing.then(async () => {
      this.#queued = undefined;
      await (this.#writing = this.#put());
    });
    return this.#queued;
  }

  async #put(): Promise<void> {
    const push = { ...this.#manifest.push, seenAt: new Date().toISOString() };
    this.#manifest = { ...this.#manifest, push };
    const text = manifestText({ ...this.#manifest, files: [...this.#files.values()] });
    const body = Buffer.from(text);
    try {
      const sum = encode("CRC32", BigInt(crc32(body)));
      this.#etag = await this.#target.put({ path: manifestName }, body, sum, this.#etag);
    } catch (error) {
      if (!(error instanceof WriteConflict)) throw error;
      // A retried write whose first answer was lost meets itself.
      const there = await this.#target.readText(manifestName);
      if (there?.text === text) {
        this.#etag = there.etag;
        return;
      }
      const refusal = new UserError("Another push took this prefix over.", {
        hint: "Let one of them end, then push again: what has arrived is kept.",
        cause: error,
      });
      this.#stop();
      this.#lost.abort(refusal);
      throw refusal;
    }
  }
}
