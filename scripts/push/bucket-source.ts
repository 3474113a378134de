import {
  CopyObjectCommand,
  GetObjectCommand,
  UploadPartCopyCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { UserError } from "../../components/user-error.ts";
import type { ManifestFile } from "../../components/weights/manifest.ts";
import { explainS3, WriteConflict } from "./s3-client.ts";
import type { SourceFile, WeightsSource } from "./source.ts";
import type { StoredPart, TargetBucket } from "./target-bucket.ts";
import type { UploadTools } from "./upload-file.ts";

/** The largest object that one CopyObject takes (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html). */
const mostCopyBytes = 5 * 1024 ** 3;
/** Parts of larger ones: as large as reads profit from, and under ten thousand for the largest object of S3. */
const copyPartBytes = 1024 ** 3;

interface BucketFile extends SourceFile {
  readonly etag: string;
}

/** How copies are cut. */
export interface CopySizes {
  readonly mostCopyBytes: number;
  readonly copyPartBytes: number;
}

/** The objects below a prefix of another bucket. S3 copies them itself; only headers are read here. */
class BucketSource implements WeightsSource {
  readonly name: string;
  readonly files: readonly SourceFile[];
  readonly #etags: ReadonlyMap<string, string>;
  readonly #from: TargetBucket;
  readonly #sizes: CopySizes;

  constructor(from: TargetBucket, files: readonly BucketFile[], sizes: CopySizes) {
    this.name = `s3://${from.bucket}/${from.prefix}`;
    this.files = files;
    this.#from = from;
    this.#sizes = sizes;
    this.#etags = new Map(files.map(({ path, etag }) => [path, etag]));
  }

  async read(file: SourceFile, start: number, target: Buffer): Promise<void> {
    const question = {
      ...this.#from.object(file.path),
      Range: `bytes=${start}-${start + target.length - 1}`,
      IfMatch: this.#etagOf(file),
    };
    const bytes = await this.#ask(file, async (client) => {
      const { Body } = await client.send(new GetObjectCommand(question));
      return Body?.transformToByteArray();
    });
    if (bytes?.length !== target.length) throw changed(file.path);
    target.set(bytes);
  }

  async copy(
    file: SourceFile,
    expected: string | undefined,
    tools: UploadTools,
  ): Promise<ManifestFile> {
    const { target, arrived, sent } = tools;
    const before = await this.#from.head(file.path);
    if (before?.etag !== this.#etagOf(file)) throw changed(file.path);
    const copied =
      file.size <= this.#sizes.mostCopyBytes
        ? this.#copyWhole(file, expected, before.checksum, target)
        : this.#copyParts(file, expected, before.checksum, tools);
    const etag = await copied.catch((error: unknown) => {
      if (!(error instanceof WriteConflict)) throw error;
      throw new UserError(`${file.path} changed in one of the two buckets during this push.`, {
        hint: "Push again once nobody else writes there.",
        cause: error,
      });
    });
    const after = await target.head(file.path);
    checkCopy(file, etag, before.checksum, after);
    arrived(file.size);
    sent(file.size);
    const { path, size, version } = file;
    return {
      path,
      size,
      etag,
      ...(after?.checksum === undefined ? {} : { checksum: after.checksum }),
      ...(version === undefined ? {} : { version }),
    };
  }

  finished(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#from.connection.close();
    return Promise.resolve();
  }

  #etagOf({ path, version = "" }: SourceFile): string {
    return this.#etags.get(path) ?? version;
  }

  /** What every copy names: where from, at which version, and who pays for the reading. */
  #copySource(file: SourceFile) {
    const { Bucket, Key } = this.#from.object(file.path);
    const CopySource = `${Bucket}/${Key.split("/").map(encodeURIComponent).join("/")}`;
    const { RequestPayer } = this.#from.object("") as { RequestPayer?: "requester" };
    const payer = RequestPayer === undefined ? {} : { RequestPayer };
    return { CopySource, CopySourceIfMatch: this.#etagOf(file), ...payer };
  }

  async #ask<T>(file: SourceFile, ask: (client: S3Client) => Promise<T>): Promise<T> {
    try {
      return await this.#from.connection.send(ask);
    } catch (error) {
      if (error instanceof WriteConflict) throw changed(file.path, error);
      throw explainS3(error, `${this.name}${file.path} cannot be read`);
    }
  }

  async #copyWhole(
    file: SourceFile,
    expected: string | undefined,
    checksum: ManifestFile["checksum"],
    target: TargetBucket,
  ): Promise<string> {
    const write = {
      ...target.object(file.path),
      ...this.#copySource(file),
      ...target.condition(expected),
      ...target.creation(file),
      MetadataDirective: "REPLACE" as const,
      ...(checksum === undefined ? {} : { ChecksumAlgorithm: checksum.algorithm }),
    };
    const { CopyObjectResult } = await target.connection.send((client) =>
      client.send(new CopyObjectCommand(write)),
    );
    return CopyObjectResult?.ETag ?? "";
  }

  async #copyParts(
    file: SourceFile,
    expected: string | undefined,
    checksum: ManifestFile["checksum"],
    { target, session, signal }: UploadTools,
  ): Promise<string> {
    const { copyPartBytes: partBytes } = this.#sizes;
    const algorithm = checksum?.algorithm ?? "CRC64NVME";
    const before = session.uploads[file.path];
    const there =
      before?.partBytes === partBytes ? await target.parts(file.path, before.uploadId) : undefined;
    if (before !== undefined && there === undefined) {
      await target.abort(file.path, before.uploadId);
    }
    const uploadId =
      there !== undefined && before !== undefined
        ? before.uploadId
        : await target.createUpload(file, algorithm);
    if (there === undefined) await session.noteUpload(file.path, { uploadId, partBytes });
    const parts: StoredPart[] = [];
    const count = Math.ceil(file.size / partBytes);
    const copyPart = async (number: number): Promise<void> => {
      const start = (number - 1) * partBytes;
      const size = Math.min(partBytes, file.size - start);
      const known = there?.find((part) => part.number === number && part.size === size);
      const write = {
        ...target.object(file.path),
        ...this.#copySource(file),
        UploadId: uploadId,
        PartNumber: number,
        CopySourceRange: `bytes=${start}-${start + size - 1}`,
      };
      signal.throwIfAborted();
      const etag =
        known?.etag ??
        (await this.#ask(file, (client) => client.send(new UploadPartCopyCommand(write))))
          .CopyPartResult?.ETag ??
        "";
      parts[number - 1] = { number, size, etag, crc32: known?.crc32 };
    };
    await inLanes(count, 8, copyPart);
    const whole = { path: file.path, uploadId, size: file.size };
    const etag = await target.complete(whole, parts, { checksum }, expected);
    session.dropUpload(file.path);
    return etag;
  }
}

async function inLanes(
  count: number,
  lanes: number,
  work: (number: number) => Promise<void>,
): Promise<void> {
  let next = 1;
  const lane = async (): Promise<void> => {
    for (let number = next++; number <= count; number = next++) await work(number);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
}

function changed(path: string, cause?: unknown): UserError {
  return new UserError(`${path} changed in its bucket during this push.`, {
    hint: "Push again once nobody writes there any more.",
    cause,
  });
}

/** Holds a copy against its original: by size, and by the checksum where both have one of a kind. */
function checkCopy(
  { path, size }: SourceFile,
  etag: string,
  before: ManifestFile["checksum"],
  after: Awaited<ReturnType<TargetBucket["head"]>>,
): void {
  const now = after?.checksum;
  const same = after?.size === size && after.etag === etag;
  const differs = now?.algorithm === before?.algorithm && now?.value !== before?.value;
  if (same && !differs) return;
  throw new UserError(`${path} is not the same in the bucket that it was copied to.`, {
    hint: "Push again; if it stays so, look at who else writes there.",
  });
}

/**
 * Lists a prefix of a bucket.
 *
 * @param from the bucket and prefix to read
 * @throws UserError when it cannot be read, or nothing is there
 */
export async function openBucket(
  from: TargetBucket,
  sizes: CopySizes = { mostCopyBytes, copyPartBytes },
): Promise<WeightsSource> {
  const name = `s3://${from.bucket}/${from.prefix}`;
  const listed = await from.list().catch((error: unknown) => {
    throw explainS3(error, `${name} cannot be listed`);
  });
  const files = [...listed].map(([path, { size, etag }]) => ({
    path,
    size,
    etag,
    version: `${etag.replaceAll('"', "")}:${size}`,
  }));
  if (files.length > 0) return new BucketSource(from, files, sizes);
  throw new UserError(`There is nothing under ${name}.`, { hint: "Check bucket and prefix." });
}
