import type { ManifestFile } from "../../components/weights/manifest.ts";
import { encode, type CrcName } from "../../provider/remote/sync/checksums.mjs";
import type { PartBuffers } from "./part-buffers.ts";
import type { Before } from "./push-session.ts";
import type { SourceFile, WeightsSource } from "./source.ts";
import type { StoredFile, TargetBucket } from "./target-bucket.ts";

/** A file that has to be sent. */
export interface FileToSend {
  readonly file: SourceFile;
  /** ETag of the object that it replaces; undefined when there is none. */
  readonly replaces: string | undefined;
}

/** What of the chosen files is in the bucket already. */
export interface Comparison {
  readonly send: readonly FileToSend[];
  /** Files that are there, with what the manifest is to say of them. */
  readonly unchanged: readonly ManifestFile[];
}

/** What a comparison looks at. */
export interface ComparisonScope {
  readonly source: WeightsSource;
  readonly target: TargetBucket;
  readonly listed: ReadonlyMap<string, StoredFile>;
  readonly before: Before;
  readonly buffers: PartBuffers;
  readonly signal: AbortSignal;
}

/** A CRC of a whole file of the source, base64. */
async function crcOf(
  file: SourceFile,
  algorithm: CrcName,
  { source, buffers, signal }: ComparisonScope,
): Promise<string> {
  const buffer = await buffers.take();
  try {
    let sum = 0n;
    for (let start = 0; start < file.size; start += buffer.length) {
      signal.throwIfAborted();
      const piece = buffer.subarray(0, Math.min(buffer.length, file.size - start));
      await source.read(file, start, piece, signal);
      sum = buffers.crc(algorithm, piece, sum);
    }
    await source.finished(file);
    return encode(algorithm, sum);
  } finally {
    buffers.give(buffer);
  }
}

/** What the manifest, or else S3, says of the object that is there now. */
async function stored(
  path: string,
  there: StoredFile,
  { before, target }: ComparisonScope,
): Promise<ManifestFile> {
  const known = before.manifest?.files.find((file) => file.path === path);
  if (known?.etag === there.etag && known.size === there.size) return known;
  const { checksum, version } = (await target.head(path)) ?? {};
  return {
    path,
    ...there,
    ...(checksum === undefined ? {} : { checksum }),
    ...(version === undefined ? {} : { version }),
  };
}

async function same(
  file: SourceFile,
  there: ManifestFile,
  scope: ComparisonScope,
): Promise<boolean> {
  if (file.version !== undefined && file.version === there.version) return true;
  if (file.sha256 !== undefined && file.sha256 === there.sha256) return true;
  // A source that names its content is believed; to read it is as dear as to send it.
  if (file.version !== undefined || there.checksum === undefined) return false;
  const { algorithm, value } = there.checksum;
  return (await crcOf(file, algorithm, scope)) === value;
}

async function compareOne(
  file: SourceFile,
  scope: ComparisonScope,
): Promise<FileToSend | ManifestFile> {
  const there = scope.listed.get(file.path);
  const replaces = there?.etag;
  if (there?.size !== file.size) return { file, replaces };
  const known = await stored(file.path, there, scope);
  if (!(await same(file, known, scope))) return { file, replaces };
  const version = file.version ?? known.version;
  return { ...known, ...(version === undefined ? {} : { version }) };
}

/**
 * Tells which files the bucket has already. Size and name are not enough, since shards of one architecture are all of one
 * size: the source's own name for the content is compared, or a checksum of it.
 */
export async function compare(
  files: readonly SourceFile[],
  scope: ComparisonScope,
): Promise<Comparison> {
  const results: (FileToSend | ManifestFile)[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < files.length; index = next++) {
      const file = files[index];
      if (file !== undefined) results[index] = await compareOne(file, scope);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
  const unchanged = results.filter((each): each is ManifestFile => !("file" in each));
  return { send: results.filter((each) => "file" in each), unchanged };
}
