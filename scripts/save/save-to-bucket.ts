import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { UserError } from "../../components/user-error.ts";
import type { ClientSettings } from "../adapters/account-scope.ts";
import type { SshTarget } from "../adapters/ssh.ts";
import { sendRemotePart, type RemoteFile } from "./remote-files.ts";
import type { SaveTarget } from "./save-target.ts";

/** Seconds that an address for one part is good for. */
const addressSeconds = 3600;

function newClient(settings: ClientSettings): S3Client {
  return new S3Client({
    ...settings,
    // The host makes the checksums; a body that is not here has none that the SDK could make.
    requestChecksumCalculation: "WHEN_REQUIRED",
    forcePathStyle: settings.endpoint !== undefined,
  });
}

/** Sums are sent as headers, and signed as such: an address is good for one content only. */
const signing = {
  expiresIn: addressSeconds,
  unhoistableHeaders: new Set(["x-amz-checksum-sha256"]),
};

/** Where saves go, with the host sending them and this machine's credentials allowing it, part by part. */
export class SaveBucket {
  readonly #client: S3Client;
  readonly #target: SaveTarget;
  readonly #host: SshTarget;
  readonly #mib: number | undefined;

  private constructor(
    client: S3Client,
    target: SaveTarget,
    host: SshTarget,
    mib: number | undefined,
  ) {
    this.#client = client;
    this.#target = target;
    this.#host = host;
    this.#mib = mib;
  }

  /**
   * Opens a bucket in whatever region it is.
   *
   * @param mib of one part; for tests. @default 1024
   * @throws UserError when it is not there, or may not be used
   */
  static async open(
    settings: ClientSettings,
    target: SaveTarget,
    host: SshTarget,
    mib?: number,
  ): Promise<SaveBucket> {
    const asking = newClient(settings);
    try {
      const found = await asking.send(new HeadBucketCommand({ Bucket: target.bucket }));
      const region = found.BucketRegion ?? settings.region;
      return new SaveBucket(newClient({ ...settings, region }), target, host, mib);
    } catch (cause) {
      const why = cause instanceof Error ? cause.name : String(cause);
      throw new UserError(`The bucket ${target.bucket} cannot be saved to: ${why}.`, {
        hint: "Give one that is there and that you may write to: --save-to s3://<bucket>/<prefix>",
        cause,
      });
    } finally {
      asking.destroy();
    }
  }

  /** Saves a file, and asks S3 for it afterwards: its size, and the sum of what it holds. */
  async save(file: RemoteFile): Promise<string> {
    const Key = `${this.#target.prefix}${file.path.slice(1)}`;
    if (file.partSums.length === 1) await this.#put(file, Key);
    else await this.#putInParts(file, Key);
    await this.#verify(file, Key);
    return Key;
  }

  close(): void {
    this.#client.destroy();
  }

  async #put(file: RemoteFile, Key: string): Promise<void> {
    const [ChecksumSHA256] = file.partSums;
    const command = new PutObjectCommand({ Bucket: this.#target.bucket, Key, ChecksumSHA256 });
    const url = await getSignedUrl(this.#client, command, signing);
    await sendRemotePart(this.#host, { file, index: 0, url, mib: this.#mib });
  }

  async #putInParts(file: RemoteFile, Key: string): Promise<void> {
    const base = { Bucket: this.#target.bucket, Key };
    const { UploadId } = await this.#client.send(
      new CreateMultipartUploadCommand({ ...base, ChecksumAlgorithm: "SHA256" }),
    );
    try {
      const Parts = [];
      for (const [index, ChecksumSHA256] of file.partSums.entries()) {
        const part = { ...base, UploadId, PartNumber: index + 1, ChecksumSHA256 };
        const url = await getSignedUrl(this.#client, new UploadPartCommand(part), signing);
        const ETag = await sendRemotePart(this.#host, { file, index, url, mib: this.#mib });
        Parts.push({ PartNumber: index + 1, ETag, ChecksumSHA256 });
      }
      const MultipartUpload = { Parts };
      await this.#client.send(
        new CompleteMultipartUploadCommand({ ...base, UploadId, MultipartUpload }),
      );
    } catch (error) {
      const abort = new AbortMultipartUploadCommand({ ...base, UploadId });
      await this.#client.send(abort).catch(() => undefined);
      throw error;
    }
  }

  async #verify({ path, bytes, partSums }: RemoteFile, Key: string): Promise<void> {
    const found = await this.#client.send(
      new HeadObjectCommand({ Bucket: this.#target.bucket, Key, ChecksumMode: "ENABLED" }),
    );
    const whole = partSums.length === 1 ? partSums[0] : undefined;
    const sum = found.ChecksumSHA256;
    if (
      found.ContentLength === bytes &&
      (whole === undefined || sum === undefined || sum === whole)
    )
      return;
    throw new UserError(`What S3 has of ${path} is not what the host has.`);
  }
}
