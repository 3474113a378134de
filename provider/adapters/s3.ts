import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
  type HeadObjectCommandOutput,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { Gate } from "./gate.ts";

/** A checksum of an object, as S3 keeps it. */
export interface ObjectChecksum {
  readonly algorithm: "CRC64NVME" | "CRC32" | "CRC32C" | "SHA256";
  /** Base64; with `-N` at its end it is one of the checksums of N parts. */
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
  /** Undefined where S3 keeps none, or was not asked. */
  readonly checksum: ObjectChecksum | undefined;
  /** The ETag is the content's MD5, or the MD5 of its parts' MD5s: it is not encrypted with KMS. */
  readonly etagIsMd5: boolean;
  /** Size of all parts but the last, where the checksum or the ETag is one of parts. */
  readonly partBytes: number | undefined;
}

/** What a list tells of an object. */
export type ListedObject = Pick<WeightsObject, "key" | "path" | "size" | "etag">;

/** How a store is reached. */
export interface StoreOptions {
  /** The caller pays for requests and traffic (https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html). @default false */
  readonly requesterPays?: boolean | undefined;
}

/** Presigned addresses are the way of hosts without an instance role; this is also the longest S3 allows for a role. */
const presignSeconds = 12 * 3600;

function checksumOf(head: HeadObjectCommandOutput): ObjectChecksum | undefined {
  const all = {
    CRC64NVME: head.ChecksumCRC64NVME,
    CRC32C: head.ChecksumCRC32C,
    CRC32: head.ChecksumCRC32,
    SHA256: head.ChecksumSHA256,
  } as const;
  for (const algorithm of ["CRC64NVME", "CRC32C", "CRC32", "SHA256"] as const) {
    const value = all[algorithm];
    if (value !== undefined) return { algorithm, value };
  }
  return undefined;
}

/** The weights of one prefix of one bucket. The endpoint and the credentials are the AWS SDK's usual ones. */
export class WeightsStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #payer: { RequestPayer?: "requester" };

  /** @param region of the bucket */
  constructor(bucket: string, prefix: string, region: string, options: StoreOptions = {}) {
    this.#bucket = bucket;
    this.#prefix = prefix;
    this.#payer = options.requesterPays === true ? { RequestPayer: "requester" } : {};
    const endpoint = process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"];
    // An endpoint of one's own (an emulation, another S3) rarely has a host name for each bucket.
    this.#client = new S3Client({ region, maxAttempts: 4, forcePathStyle: endpoint !== undefined });
  }

  /** Keys and sizes with ETags, one cheap request a thousand; "folder" objects are left out. */
  async list(): Promise<readonly ListedObject[]> {
    const found: ListedObject[] = [];
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: this.#prefix,
          ContinuationToken: token,
          ...this.#payer,
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

  /**
   * The same with the checksums, one request an object.
   *
   * @param fromBytes smaller objects are not asked about: the GET of a whole object tells its checksum. @default 0
   * @param select leaves out what is not wanted before anything is asked about it. @default all
   */
  async describe(
    fromBytes = 0,
    select: (listed: readonly ListedObject[]) => readonly ListedObject[] = (all) => all,
  ): Promise<readonly WeightsObject[]> {
    const gate = new Gate(16);
    const listed = select(await this.list());
    const unasked = { checksum: undefined, etagIsMd5: false, partBytes: undefined };
    return Promise.all(
      listed.map((object) =>
        object.size < fromBytes
          ? Promise.resolve({ ...object, ...unasked })
          : gate.run(() => this.#head(object.key, object.path)),
      ),
    );
  }

  async #head(key: string, path: string): Promise<WeightsObject> {
    const base = { Bucket: this.#bucket, Key: key, ...this.#payer };
    const head = await this.#client.send(
      new HeadObjectCommand({ ...base, ChecksumMode: "ENABLED" }),
    );
    const etag = head.ETag ?? "";
    const checksum = checksumOf(head);
    const kms = head.ServerSideEncryption?.startsWith("aws:kms") === true;
    const inParts = checksum === undefined ? /-\d+"$/.test(etag) : checksum.value.includes("-");
    let partBytes: number | undefined;
    if (inParts) {
      const first = await this.#client.send(new HeadObjectCommand({ ...base, PartNumber: 1 }));
      partBytes = first.ContentLength;
    }
    const etagIsMd5 = /^"[0-9a-f]{32}(-\d+)?"$/.test(etag) && !kms;
    return { key, path, size: head.ContentLength ?? 0, etag, checksum, etagIsMd5, partBytes };
  }

  /** The text of a small object. */
  async readText(Key: string): Promise<string> {
    const found = await this.#client.send(
      new GetObjectCommand({ Bucket: this.#bucket, Key, ...this.#payer }),
    );
    return (await found.Body?.transformToString()) ?? "";
  }

  /** The address below which the objects are, with a slash at its end. */
  async origin(): Promise<string> {
    const url = new URL(await this.presign("x"));
    return url.origin + url.pathname.slice(0, -1);
  }

  /** An address that gives the object to whoever has it, for twelve hours or the credentials' rest of life. */
  presign(key: string): Promise<string> {
    const base = { Bucket: this.#bucket, Key: key, ...this.#payer };
    const command = new GetObjectCommand({ ...base, ChecksumMode: "ENABLED" });
    return getSignedUrl(this.#client, command, { expiresIn: presignSeconds });
  }

  /** Frees the connections. */
  close(): void {
    this.#client.destroy();
  }
}
