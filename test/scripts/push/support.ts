import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as s3 from "@aws-sdk/client-s3";
import type { Cloud } from "../../../offline/cloud/cloud.ts";
import { Terminal } from "../../../scripts/adapters/terminal.ts";
import { runPush, type PushOptions, type PushReport } from "../../../scripts/push/run-push.ts";
import { S3Connection } from "../../../scripts/push/s3-client.ts";
import type { WeightsSource } from "../../../scripts/push/source.ts";
import { TargetBucket } from "../../../scripts/push/target-bucket.ts";
import { parseManifest, type WeightsManifest } from "../../../components/weights/manifest.ts";

/** A safetensors file of one tensor of bytes. */
export function safetensors(data: Buffer): Buffer {
  const header = Buffer.from(
    JSON.stringify({ w: { dtype: "U8", shape: [data.length], data_offsets: [0, data.length] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, data]);
}

/** A new folder with these files. */
export async function folderOf(files: Readonly<Record<string, Buffer | string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "berth-push-test-"));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

/** A terminal that keeps what it is told. */
export function quietTerminal(): { readonly terminal: Terminal; readonly lines: string[] } {
  const lines: string[] = [];
  const take = (text: string): void => {
    lines.push(...text.split("\n").filter((line) => line !== ""));
  };
  return { terminal: new Terminal(false, { out: take, err: take, interactive: false }), lines };
}

/** Makes the environment what it was. */
export function restoreEnvironment(saved: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env)) {
    if (!(name in saved)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, saved);
}

/** The environment without what AWS SDKs read. */
export function withoutAws(): NodeJS.ProcessEnv {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_"));
  return Object.fromEntries(others);
}

const usual: PushOptions = {
  lanes: 4,
  allowPickle: [],
  include: [],
  exclude: [],
  prune: false,
  takeOver: false,
  planOnly: false,
};

/** A bucket of the emulated S3 that is pushed to. */
export class PushedBucket {
  readonly bucket: string;
  readonly prefix = "llama/";
  readonly client: s3.S3Client;
  readonly #cloud: Cloud;

  constructor(cloud: Cloud, bucket: string) {
    this.bucket = bucket;
    this.#cloud = cloud;
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    this.client = new s3.S3Client({
      endpoint: cloud.endpoint,
      region: "us-east-1",
      credentials,
      forcePathStyle: true,
    });
  }

  connection(): S3Connection {
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const { endpoint } = this.#cloud;
    return new S3Connection({ region: "us-east-1", endpoint, credentials, lanes: 4 });
  }

  target(options: { kmsKey?: string; prefix?: string } = {}): TargetBucket {
    const place = { bucket: this.bucket, prefix: options.prefix ?? this.prefix };
    return new TargetBucket(this.connection(), place, { requesterPays: false, ...options });
  }

  async push(
    source: WeightsSource,
    options: Partial<PushOptions> & { target?: TargetBucket; signal?: AbortSignal } = {},
  ): Promise<PushReport & { readonly lines: readonly string[] }> {
    const { terminal, lines } = quietTerminal();
    const { target = this.target(), signal = new AbortController().signal, ...rest } = options;
    try {
      const push = { source, target, terminal, signal, options: { ...usual, ...rest } };
      return { ...(await runPush(push)), lines };
    } finally {
      await source.close();
      target.connection.close();
    }
  }

  async content(path: string): Promise<Buffer> {
    const Key = `${this.prefix}${path}`;
    const { Body } = await this.client.send(new s3.GetObjectCommand({ Bucket: this.bucket, Key }));
    return Buffer.from(await Body!.transformToByteArray());
  }

  async manifest(): Promise<WeightsManifest> {
    return parseManifest((await this.content(".berth-manifest.json")).toString())!;
  }

  async keys(): Promise<readonly string[]> {
    const answer = await this.client.send(new s3.ListObjectsV2Command({ Bucket: this.bucket }));
    return (answer.Contents ?? []).map(({ Key }) => Key!);
  }

  async uploads(): Promise<number> {
    const answer = await this.client.send(
      new s3.ListMultipartUploadsCommand({ Bucket: this.bucket }),
    );
    return (answer.Uploads ?? []).length;
  }
}
