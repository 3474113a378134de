import { HeadBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { UserError } from "../../components/user-error.ts";

/** What of an account a client is made with. */
export interface S3ClientSettings {
  readonly region: string;
  readonly endpoint?: string | undefined;
  readonly credentials?:
    { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Connections at once. */
  readonly lanes: number;
}

/** Another writer was faster: the object is not what it was when the push looked. */
export class WriteConflict extends Error {
  override readonly name = "WriteConflict";
}

const expired = new Set(["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"]);
const conflicting = new Set(["PreconditionFailed", "ConditionalRequestConflict"]);
/** How often new credentials are asked for in a row before a push gives up. */
const renewals = 2;

/** The name of an S3 error, such as `AccessDenied`; empty for what is none. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

function newClient({ region, endpoint, credentials, lanes }: S3ClientSettings): S3Client {
  const own = endpoint ?? process.env["AWS_ENDPOINT_URL_S3"] ?? process.env["AWS_ENDPOINT_URL"];
  const client = new S3Client({
    region,
    maxAttempts: 8,
    // A tenth of the processor time of a small file; the stack is whole before the first command.
    cacheMiddleware: true,
    // Checksums are made here, once; the SDK's own run in JavaScript and are not those of whole objects.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    // An endpoint of one's own rarely has a host name for each bucket.
    forcePathStyle: own !== undefined,
    requestHandler: {
      connectionTimeout: 10_000,
      socketTimeout: 60_000,
      httpsAgent: { maxSockets: lanes + 8 },
      httpAgent: { maxSockets: lanes + 8 },
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  // The body's own CRC goes along and TLS guards the way: hashing it once more for the signature would cost more than both.
  client.middlewareStack.add(
    (next) => (args) => {
      const { request } = args as { request?: { headers?: Record<string, string> } };
      if (request?.headers?.["x-amz-checksum-crc32"] !== undefined) {
        request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
      }
      return next(args);
    },
    { step: "build", name: "unsignedPayload", priority: "low" },
  );
  return client;
}

/** An S3 client that asks for new credentials when the old ones expire in the middle of a push. */
export class S3Connection {
  readonly region: string;
  readonly #settings: S3ClientSettings;
  #client: S3Client;

  constructor(settings: S3ClientSettings) {
    this.region = settings.region;
    this.#settings = settings;
    this.#client = newClient(settings);
  }

  /** @throws WriteConflict when a condition of the write does not hold */
  async send<Output>(ask: (client: S3Client) => Promise<Output>): Promise<Output> {
    for (let attempt = 0; ; attempt += 1) {
      const client = this.#client;
      try {
        return await ask(client);
      } catch (error) {
        const name = errorName(error);
        if (conflicting.has(name)) throw new WriteConflict(name, { cause: error });
        if (!expired.has(name) || attempt >= renewals) throw error;
        // A new client asks every source of credentials again; others may have renewed it meanwhile.
        if (this.#client === client) this.#client = newClient(this.#settings);
      }
    }
  }

  /** @throws CredentialsProviderError when no source of credentials has any; most are asked on this machine */
  async requireCredentials(): Promise<void> {
    await this.#client.config.credentials();
  }

  /**
   * The region of a bucket; undefined where the credentials may not know.
   *
   * @throws UserError when there is no such bucket
   */
  async regionOf(bucket: string): Promise<string | undefined> {
    try {
      const { BucketRegion } = await this.send((client) =>
        client.send(new HeadBucketCommand({ Bucket: bucket })),
      );
      return BucketRegion;
    } catch (error) {
      const { $response, $metadata } = error as {
        $response?: { headers?: Record<string, string> };
        $metadata?: { httpStatusCode?: number };
      };
      const region = $response?.headers?.["x-amz-bucket-region"];
      if (region !== undefined || $metadata?.httpStatusCode === 403) return region;
      throw explainS3(error, `the bucket ${bucket} cannot be looked at`);
    }
  }

  close(): void {
    this.#client.destroy();
  }
}

const hints: Readonly<Record<string, string>> = {
  NotFound: "Check the bucket's name.",
  NoSuchBucket: "Check the bucket's name.",
  AccessDenied: "docs/iam-policy.md has what whoever pushes must be allowed.",
  CredentialsProviderError:
    "Give AWS credentials in one of the places where the AWS SDK looks, such as AWS_PROFILE.",
  ExpiredToken: "Log in again, then run the same command: it goes on where it stopped.",
  KMSAccessDeniedException: "The KMS key has to allow kms:GenerateDataKey and kms:Decrypt.",
};

/** An S3 error as one for the user; it never quotes a request's headers. */
export function explainS3(error: unknown, what: string): UserError {
  if (error instanceof UserError) return error;
  const name = errorName(error);
  const message = error instanceof Error ? error.message : String(error);
  const hint = hints[name] ?? "Run the same command again: it goes on where it stopped.";
  const why =
    message === "" || message === "UnknownError" || message === name ? name : `${name}: ${message}`;
  return new UserError(`${what} (${why})`, { hint, cause: error });
}
