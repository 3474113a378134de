import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type HeadObjectCommandOutput,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Gate } from "./gate.ts";

/** A checksum of a whole object, as S3 keeps it. */
export interface ObjectChecksum {
  readonly algorithm: "CRC64NVME" | "CRC32" | "CRC32C" | "SHA256";
  /** Base64. */
  readonly value: string;
}

/** One object, as it was when it was looked at. */
export interface WeightsObject {
  readonly key: string;
  /** The key without the prefix: where the file lies in the folder. */
  readonly path: string;
  readonly size: number;
  /** With its quotes, as S3 gives it and `If-Match` takes it. */
  readonly etag: string;
  /** Undefined where S3 keeps none of the whole object (uploads in parts with COMPOSITE checksums). */
  readonly checksum: ObjectChecksum | undefined;
  /** The ETag is the content's MD5: uploaded in one part, and not encrypted with KMS. */
  readonly etagIsMd5: boolean;
}

/** Presigned addresses are the way of hosts without an instance role; this is also the longest S3 allows for a role. */
const presignSeconds = 12 * 3600;

function checksumOf(head: HeadObjectCommandOutput): ObjectChecksum | undefined {
  if (head.ChecksumType === "COMPOSITE") return undefined;
  const all = {
    CRC64NVME: head.ChecksumCRC64NVME,
    CRC32: head.ChecksumCRC32,
    CRC32C: head.ChecksumCRC32C,
    SHA256: head.ChecksumSHA256,
  } as const;
  for (const algorithm of ["CRC64NVME", "CRC32", "CRC32C", "SHA256"] as const) {
    const value = all[algorithm];
    // A value with "-N" is one of the parts' checksums, not of the object.
    if (value !== undefined && !value.includes("-")) return { algorithm, value };
  }
  return undefined;
}

/** The weights of one prefix of one bucket. The endpoint and the credentials are the AWS SDK's usual ones. */
export class WeightsStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  /** @param region of the bucket */
  constructor(bucket: string, prefix: string, region: string) {
    this.#bucket = bucket;
    this.#prefix = prefix;
    const endpoint = process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"];
    // An endpoint of one's own (an emulation, another S3) rarely has a host name for each bucket.
    this.#client = new S3Client({ region, maxAttempts: 4, forcePathStyle: endpoint !== undefined });
  }

  /** Keys and sizes with ETags, one cheap request a thousand; "folder" objects are left out. */
  async list(): Promise<readonly Pick<WeightsObject, "key" | "path" | "size" | "etag">[]> {
    const found: Pick<WeightsObject, "key" | "path" | "size" | "etag">[] = [];
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: this.#prefix,
          ContinuationToken: token,
        }),
      );
      for (const { Key: key = "", Size: size = 0, ETag: etag = "" } of page.Contents ?? []) {
        const path = key.slice(this.#prefix.length).replace(/^\//, "");
        if (path !== "" && !key.endsWith("/")) found.push({ key, path, size, etag });
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  /** The same with the checksums, one request an object. */
  async describe(): Promise<readonly WeightsObject[]> {
    const gate = new Gate(16);
    const listed = await this.list();
    return Promise.all(listed.map(({ key, path }) => gate.run(() => this.#head(key, path))));
  }

  async #head(key: string, path: string): Promise<WeightsObject> {
    const command = new HeadObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      ChecksumMode: "ENABLED",
    });
    const head = await this.#client.send(command);
    const etag = head.ETag ?? "";
    const kms = head.ServerSideEncryption?.startsWith("aws:kms") === true;
    return {
      key,
      path,
      size: head.ContentLength ?? 0,
      etag,
      checksum: checksumOf(head),
      etagIsMd5: /^"[0-9a-f]{32}"$/.test(etag) && !kms,
    };
  }

  /** An address that gives the object to whoever has it, for twelve hours or the credentials' rest of life. */
  presign(key: string): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.#bucket, Key: key });
    return getSignedUrl(this.#client, command, { expiresIn: presignSeconds });
  }

  /** Frees the connections. */
  close(): void {
    this.#client.destroy();
  }
}
