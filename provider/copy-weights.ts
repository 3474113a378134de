import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { listWeightsFolder, type ListedFile } from "../components/weights/folder-listing.ts";
import { UserError } from "../components/user-error.ts";
import { shellQuote, type Host } from "./adapters/ssh.ts";
import { SshError } from "./adapters/ssh-error.ts";
import { ensureFolder } from "./connection.ts";
import type { Operation } from "./plugin/resource-type.ts";
import { remoteScript } from "./remote/scripts.ts";
import { bytesText } from "./sync-text.ts";

const receive = remoteScript("receive-part.sh");
/** Connections that may be lost under one file. */
const mostTries = 5;
/** `place`'s exit status for a file that did not arrive as it was sent. */
const damagedStatus = 3;
/** Where the host keeps what was copied. */
const manifestFile = ".copy/manifest.json";

const fileSchema = z.object({ path: z.string(), size: z.number(), sha256: z.string() });
const manifestSchema = z.object({ files: z.array(fileSchema) });

/** A file that is on the host. */
export type CopiedFile = Readonly<z.infer<typeof fileSchema>>;

/** What to copy where. */
export interface CopyInputs {
  /** Folder on this machine. */
  readonly source: string;
  /** Folder on the host. */
  readonly folder: string;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** What a copy brought about. */
export interface Copied {
  readonly files: readonly CopiedFile[];
  /** Of all files together. */
  readonly bytes: number;
  readonly manifestSha256: string;
}

function manifestText(files: readonly CopiedFile[]): string {
  return `${JSON.stringify({ files }, null, 1)}\n`;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function readManifest(host: Host, folder: string): Promise<readonly CopiedFile[]> {
  const text = await host.output('cat "$1" 2>/dev/null || echo "{}"', [
    `${folder}/${manifestFile}`,
  ]);
  try {
    return manifestSchema.parse(JSON.parse(text)).files;
  } catch {
    return [];
  }
}

/** Paths of the manifest whose file is there in its size. */
async function presentPaths(host: Host, folder: string, files: readonly CopiedFile[]) {
  if (files.length === 0) return new Set<string>();
  const script = `cd "$1" && shift && while [ $# -gt 0 ]; do
  if [ "$(wc -c <"$1" 2>/dev/null | tr -d ' ')" = "$2" ]; then printf '%s\\n' "$1"; fi
  shift 2
done`;
  const args = [folder, ...files.flatMap(({ path, size }) => [path, String(size)])];
  return new Set((await host.output(script, args, 60_000)).split("\n"));
}

async function requireRoom(host: Host, folder: string, bytes: number): Promise<void> {
  const script = "df -Pk \"$1\" | tail -n 1 | awk '{ print $4 }'";
  const free = Number((await host.output(script, [folder])).trim()) * 1024;
  // A file is moved into place, never copied there, so that each needs its own room once.
  if (!(free < bytes)) return;
  throw new UserError(
    `${host.name} has ${bytesText(free)} free in ${folder}, and the weights need ${bytesText(bytes)} (E_DISK)`,
    { hint: "Make room there, then run the same command again." },
  );
}

class Copy {
  readonly #host: Host;
  readonly #folder: string;
  readonly #source: string;
  readonly #signal: AbortSignal;
  readonly #tell: (bytes: number) => void;

  constructor(
    host: Host,
    { source, folder }: Pick<CopyInputs, "source" | "folder">,
    signal: AbortSignal,
    tell: (bytes: number) => void,
  ) {
    this.#host = host;
    this.#folder = folder;
    this.#source = source;
    this.#signal = signal;
    this.#tell = tell;
    // What is under way ends as a lost connection does; what has arrived is kept.
    signal.addEventListener("abort", () => {
      host.close();
    });
  }

  async send(file: CopiedFile): Promise<void> {
    for (let tries = 1; ; tries++) {
      this.#signal.throwIfAborted();
      try {
        await this.#rest(file);
        if (await this.#place(file)) return;
        if (tries >= 2)
          throw new UserError(`${file.path} is damaged on its way to ${this.#host.name}`, {
            hint: "Does the file change while it is sent? Let that end, then run the same command again.",
          });
      } catch (error) {
        const again = error instanceof SshError && error.failure === "lost" && tries < mostTries;
        if (!again) throw error;
      }
    }
  }

  /** What the host does not have of the file yet. */
  async #rest({ path, size, sha256 }: CopiedFile): Promise<void> {
    const there = Number(await this.#host.output(receive, ["size", this.#folder, sha256]));
    // More than there is to send can only be another content; its checksum says so.
    this.#tell(Math.min(there, size));
    if (there >= size) return;
    const words = ["take", this.#folder, sha256].map(shellQuote).join(" ");
    const session = await this.#host.session();
    let unreadable: unknown;
    const content = this.#counted(join(this.#source, path), there, (error) => {
      unreadable = error;
      session.close();
    });
    try {
      const result = await session.exec(`bash -c ${shellQuote(receive)} receive ${words}`, {
        // The slowest line that is sensible is 500 kB/s.
        timeoutMs: 60_000 + (size - there) / 500,
        stdin: content,
      });
      if (result.code === 0) return;
      throw new UserError(`${path} could not be written on ${this.#host.name}`, {
        problems: [result.stderr.trim()],
        hint: "Run the same command again: what has arrived is kept.",
      });
    } catch (error) {
      if (unreadable === undefined) throw error;
      throw new UserError(`${join(this.#source, path)} cannot be read.`, { cause: unreadable });
    } finally {
      content.destroy();
    }
  }

  /** A file from a byte on; what is wrong with it is told, since nothing else would end the transfer. */
  #counted(path: string, start: number, onError: (error: unknown) => void): Transform {
    const counter = new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#tell(chunk.length);
        done(null, chunk);
      },
    });
    pipeline(createReadStream(path, { start }), counter).catch((error: unknown) => {
      // The end of the transfer destroys it too.
      if (!counter.destroyed || counter.errored !== null) onError(error);
    });
    return counter;
  }

  async #place({ path, size, sha256 }: CopiedFile): Promise<boolean> {
    const args = ["place", this.#folder, sha256, path];
    // A slow disk reads 50 MB a second.
    const timeoutMs = 60_000 + size / 50_000;
    const result = await this.#host.script(receive, { args, timeoutMs });
    if (result.code === 0) return true;
    if (result.code === damagedStatus) return false;
    throw new Error(`${path} could not be put in place: ${result.stderr.trim()}`);
  }
}

/** A line every few seconds. */
function progress(totalBytes: number, operation: Operation): (bytes: number) => void {
  const began = Date.now();
  let sent = 0;
  let told = began;
  return (bytes) => {
    sent += bytes;
    const now = Date.now();
    if (now - told < 5000) return;
    told = now;
    const percent = Math.min(100, Math.floor((sent / Math.max(1, totalBytes)) * 100));
    const rate = bytesText((sent / (now - began)) * 1000);
    operation.log(`weights: ${percent} % of ${bytesText(totalBytes)}, ${rate}/s`);
  };
}

async function describe(source: string, files: readonly ListedFile[]): Promise<CopiedFile[]> {
  const described: CopiedFile[] = [];
  for (const { path, size } of files) {
    described.push({ path, size, sha256: await sha256Of(join(source, path)) });
  }
  return described;
}

/**
 * Copies a folder's weights to a host over SSH. Each file is checked there by its SHA-256 before it is put in place; a copy
 * that was cut off goes on in the middle of a file; what an earlier copy brought and is no more in the folder is removed.
 *
 * @throws UserError when the folder has no weights, the disk is too small, or a file does not arrive whole
 */
export async function copyWeights(
  host: Host,
  inputs: CopyInputs,
  operation: Operation,
): Promise<Copied> {
  const { source } = inputs;
  const wanted = await describe(source, listWeightsFolder(source, inputs));
  const folder = await ensureFolder(host, inputs.folder);
  const before = await readManifest(host, folder);
  const present = await presentPaths(host, folder, before);
  const there = new Map(
    before.filter(({ path }) => present.has(path)).map(({ path, sha256 }) => [path, sha256]),
  );
  const missing = wanted.filter(({ path, sha256 }) => there.get(path) !== sha256);
  const bytes = missing.reduce((sum, { size }) => sum + size, 0);
  await requireRoom(host, folder, bytes);
  const copy = new Copy(host, { source, folder }, operation.signal, progress(bytes, operation));
  for (const file of missing) await copy.send(file);
  const stale = before.filter(({ path }) => !wanted.some((file) => file.path === path));
  if (stale.length > 0)
    await host.output('cd "$1" && shift && rm -f -- "$@"', [
      folder,
      ...stale.map(({ path }) => path),
    ]);
  const text = manifestText(wanted);
  if (missing.length > 0 || stale.length > 0) await host.put(text, `${folder}/${manifestFile}`);
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  operation.log(
    missing.length === 0
      ? `weights: all ${wanted.length} files (${bytesText(total)}) were there already`
      : `weights: ${wanted.length} files (${bytesText(total)}) are there; sent ${bytesText(bytes)}`,
  );
  const manifestSha256 = createHash("sha256").update(text).digest("hex");
  return { files: wanted, bytes: total, manifestSha256 };
}

/** The paths of what was copied and is gone from the host, or has another size there. */
export async function missingCopies(
  host: Host,
  folderInput: string,
  files: readonly CopiedFile[],
): Promise<readonly string[]> {
  const folder = await ensureFolder(host, folderInput);
  const present = await presentPaths(host, folder, files);
  return files.map(({ path }) => path).filter((path) => !present.has(path));
}
