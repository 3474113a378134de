import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  UploadPartCommand,
  paginateListObjectsV2,
  paginateListParts,
  type ListMultipartUploadsCommandOutput,
} from "@aws-sdk/client-s3";
import type { ManifestFile } from "../../components/weights/manifest.ts";
import type { CrcName } from "../../provider/remote/sync/checksums.mjs";
import type { SourceFile } from "./source.ts";
import { errorName, type S3Connection } from "./s3-client.ts";

/** An object as a list tells of it. */
export interface StoredFile {
  /** Bytes. */
  readonly size: number;
  /** With its quotes. */
  readonly etag: string;
}

/** A part that S3 has, or is to be made one of. */
export interface StoredPart extends StoredFile {
  readonly number: number;
  /** Base64 of its CRC32; undefined where S3 keeps none. */
  readonly crc32: string | undefined;
}

/** How objects are written. */
export interface WriteOptions {
  /** KMS key that encrypts them. @default what the bucket does by itself */
  readonly kmsKey?: string | undefined;
  /** Pay for the requests in a bucket of somebody else's. */
  readonly requesterPays: boolean;
}

/** A file that is about to be written. */
type NewFile = Pick<SourceFile, "path" | "version">;

/** Object metadata that keeps what the source calls the content. */
const versionKey = "berth-version";

/** What a write expects to find: an ETag, or undefined for nothing. */
type Expected = string | undefined;

/** The objects below one prefix. Every write says what it expects to replace, so two pushes cannot mix. */
export class TargetBucket {
  readonly bucket: string;
  readonly prefix: string;
  readonly connection: S3Connection;
  readonly #options: WriteOptions;

  /** @param place the prefix ends with a slash */
  constructor(
    connection: S3Connection,
    place: { readonly bucket: string; readonly prefix: string },
    options: WriteOptions,
  ) {
    this.connection = connection;
    this.bucket = place.bucket;
    this.prefix = place.prefix;
    this.#options = options;
  }

  /** Bucket and key of a file, and who pays. */
  object(path: string) {
    const payer = this.#options.requesterPays ? { RequestPayer: "requester" as const } : {};
    return { Bucket: this.bucket, Key: `${this.prefix}${path}`, ...payer };
  }

  /** What a write expects to replace. */
  condition(expected: Expected) {
    return expected === undefined ? { IfNoneMatch: "*" } : { IfMatch: expected };
  }

  /** What a new object is made with: its encryption, and what its source calls the content. */
  creation({ version }: Pick<SourceFile, "version">) {
    const { kmsKey } = this.#options;
    const named = version === undefined ? {} : { Metadata: { [versionKey]: version } };
    if (kmsKey === undefined) return named;
    return {
      ...named,
      ServerSideEncryption: "aws:kms" as const,
      SSEKMSKeyId: kmsKey,
      BucketKeyEnabled: true,
    };
  }

  /** All objects below the prefix, by path. */
  list(): Promise<ReadonlyMap<string, StoredFile>> {
    const { Key: Prefix, ...where } = this.object("");
    const question = { ...where, Prefix };
    return this.connection.send(async (client) => {
      const found = new Map<string, StoredFile>();
      for await (const { Contents } of paginateListObjectsV2({ client }, question)) {
        for (const { Key = "", Size = 0, ETag = "" } of Contents ?? []) {
          const path = Key.slice(this.prefix.length);
          if (path !== "" && !path.endsWith("/")) found.set(path, { size: Size, etag: ETag });
        }
      }
      return found;
    });
  }

  /** Size, ETag and the checksum of the whole object; undefined when it is not there. */
  async head(
    path: string,
  ): Promise<(StoredFile & Pick<ManifestFile, "checksum" | "version">) | undefined> {
    const question = { ...this.object(path), ChecksumMode: "ENABLED" as const };
    try {
      const head = await this.connection.send((client) =>
        client.send(new HeadObjectCommand(question)),
      );
      const checksum = (["CRC32", "CRC64NVME", "CRC32C"] as const)
        .map((algorithm) => ({ algorithm, value: head[`Checksum${algorithm}`] ?? "" }))
        // A value with "-N" is one of the parts' checksums, not of the object.
        .find(({ value }) => value !== "" && !value.includes("-"));
      const whole = head.ChecksumType === "COMPOSITE" ? undefined : checksum;
      const version = head.Metadata?.[versionKey];
      return { size: head.ContentLength ?? 0, etag: head.ETag ?? "", checksum: whole, version };
    } catch (error) {
      if (["NotFound", "NoSuchKey"].includes(errorName(error))) return undefined;
      throw error;
    }
  }

  /** A small object's text and ETag; undefined when it is not there. */
  async readText(
    path: string,
  ): Promise<{ readonly text: string; readonly etag: string } | undefined> {
    try {
      return await this.connection.send(async (client) => {
        const { Body, ETag = "" } = await client.send(new GetObjectCommand(this.object(path)));
        return { text: (await Body?.transformToString()) ?? "", etag: ETag };
      });
    } catch (error) {
      if (errorName(error) === "NoSuchKey") return undefined;
      throw error;
    }
  }

  /** @returns the new object's ETag */
  async put(file: NewFile, body: Buffer, crc32: string, expected: Expected): Promise<string> {
    const write = {
      ...this.object(file.path),
      ...this.creation(file),
      ...this.condition(expected),
      Body: body,
      ChecksumCRC32: crc32,
    };
    const { ETag = "" } = await this.connection.send((client) =>
      client.send(new PutObjectCommand(write)),
    );
    return ETag;
  }

  async createUpload(file: NewFile, algorithm: CrcName = "CRC32"): Promise<string> {
    const write = {
      ...this.object(file.path),
      ...this.creation(file),
      ChecksumAlgorithm: algorithm,
      ChecksumType: "FULL_OBJECT" as const,
    };
    const { UploadId = "" } = await this.connection.send((client) =>
      client.send(new CreateMultipartUploadCommand(write)),
    );
    return UploadId;
  }

  /** The parts that S3 has of an upload; undefined when it is not there any more. */
  async parts(path: string, UploadId: string): Promise<readonly StoredPart[] | undefined> {
    try {
      return await this.connection.send(async (client) => {
        const found: StoredPart[] = [];
        const pages = paginateListParts({ client }, { ...this.object(path), UploadId });
        for await (const { Parts } of pages) {
          for (const { PartNumber = 0, Size = 0, ETag = "", ChecksumCRC32 } of Parts ?? []) {
            found.push({ number: PartNumber, size: Size, etag: ETag, crc32: ChecksumCRC32 });
          }
        }
        return found;
      });
    } catch (error) {
      if (errorName(error) === "NoSuchUpload") return undefined;
      throw error;
    }
  }

  /**
   * Uploads below the prefix that were begun as `createUpload` begins them, by path: what a push that was killed between
   * the beginning and the note of it leaves. Empty where the credentials may not ask.
   */
  async ownUploads(): Promise<readonly { readonly path: string; readonly uploadId: string }[]> {
    const { Key: Prefix, ...where } = this.object("");
    try {
      return await this.connection.send(async (client) => {
        const found: { path: string; uploadId: string }[] = [];
        let after: Partial<ListMultipartUploadsCommandOutput> = {};
        do {
          const page: ListMultipartUploadsCommandOutput = await client.send(
            new ListMultipartUploadsCommand({
              ...where,
              Prefix,
              KeyMarker: after.NextKeyMarker,
              UploadIdMarker: after.NextUploadIdMarker,
            }),
          );
          for (const { Key = "", UploadId = "", ...upload } of page.Uploads ?? []) {
            const ours =
              upload.ChecksumAlgorithm === "CRC32" && upload.ChecksumType === "FULL_OBJECT";
            if (ours && Key.startsWith(this.prefix)) {
              found.push({ path: Key.slice(this.prefix.length), uploadId: UploadId });
            }
          }
          after = page.IsTruncated === true ? page : {};
        } while (after.NextKeyMarker !== undefined);
        return found;
      });
    } catch (error) {
      if (errorName(error) === "AccessDenied") return [];
      throw error;
    }
  }

  /** @returns the part's ETag */
  async uploadPart(
    upload: { readonly path: string; readonly uploadId: string; readonly number: number },
    body: Buffer,
    crc32: string,
  ): Promise<string> {
    const write = {
      ...this.object(upload.path),
      UploadId: upload.uploadId,
      PartNumber: upload.number,
      Body: body,
      ChecksumCRC32: crc32,
    };
    const { ETag = "" } = await this.connection.send((client) =>
      client.send(new UploadPartCommand(write)),
    );
    return ETag;
  }

  /** Makes one object of the parts; S3 refuses it when the whole is not `crc32`. @returns its ETag */
  async complete(
    upload: { readonly path: string; readonly uploadId: string; readonly size: number },
    parts: readonly StoredPart[],
    whole: Pick<ManifestFile, "checksum">,
    expected: Expected,
  ): Promise<string> {
    const { checksum } = whole;
    const write = {
      ...this.object(upload.path),
      ...this.condition(expected),
      UploadId: upload.uploadId,
      MultipartUpload: {
        Parts: parts.map(({ number, etag, crc32 }) => ({
          PartNumber: number,
          ETag: etag,
          ...(crc32 === undefined ? {} : { ChecksumCRC32: crc32 }),
        })),
      },
      ChecksumType: "FULL_OBJECT" as const,
      ...(checksum === undefined ? {} : { [`Checksum${checksum.algorithm}`]: checksum.value }),
      MpuObjectSize: upload.size,
    };
    const { ETag = "" } = await this.connection.send((client) =>
      client.send(new CompleteMultipartUploadCommand(write)),
    );
    return ETag;
  }

  /** Ends an upload and what it holds; one that is gone already is fine. */
  async abort(path: string, UploadId: string): Promise<void> {
    await this.connection
      .send((client) =>
        client.send(new AbortMultipartUploadCommand({ ...this.object(path), UploadId })),
      )
      .catch((error: unknown) => {
        if (errorName(error) !== "NoSuchUpload") throw error;
      });
  }

  /** Removes an object that is still the one that was seen. */
  async remove(path: string, etag: string): Promise<void> {
    const write = { ...this.object(path), IfMatch: etag };
    await this.connection.send((client) => client.send(new DeleteObjectCommand(write)));
  }
}
