import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WeightsStore } from "../../../provider/adapters/s3.ts";
import { S3Server } from "./s3-server.ts";
import { end } from "./sshd.ts";

const engine = join(import.meta.dirname, "../../../provider/remote/sync/main.mjs");
export const mebibyte = 1024 * 1024;
/** Of the tests' plans: small, so that small files have many ranges. */
export const rangeBytes = mebibyte / 4;

/** How a run of the program ended. */
export interface Run {
  readonly code: number | null;
  readonly result: {
    received: number;
    fetchedFiles: number;
    manifestSha256: string;
    damaged: string[];
    troubles: number;
  };
  readonly error: { code: string; message: string };
}

/** A run that may still be under way. */
export interface Running {
  readonly child: ChildProcess;
  readonly done: Promise<Run>;
  readonly output: () => string;
}

function parse(code: number | null, output: string): Run {
  const tag = (name: string): never =>
    JSON.parse(
      output
        .split("\n")
        .findLast((line) => line.startsWith(`@${name} `))
        ?.slice(name.length + 2) ?? "{}",
    ) as never;
  return { code, result: tag("result"), error: tag("error") };
}

/** A folder that is filled by the sync's program from an S3 on loopback, and what must be in it. */
export class SyncFolder {
  readonly s3 = new S3Server();
  folder = "";
  readonly #content = new Map<string, Buffer>();
  #children: ChildProcess[] = [];

  async open(): Promise<void> {
    await this.s3.start();
    this.folder = await mkdtemp(join(tmpdir(), "berth-sync-"));
    await mkdir(this.to);
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map(end));
    await this.s3.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Where the files go. */
  get to(): string {
    return join(this.folder, "to");
  }

  get totalBytes(): number {
    return [...this.#content.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** Puts an object of this path below the prefix into the bucket. */
  put(path: string, content: Buffer): void {
    this.s3.put(`m/${path}`, content);
    this.#content.set(path, content);
  }

  /** Writes a plan of the bucket as it is now, and returns its path. */
  async plan(changes: Record<string, unknown> = {}): Promise<string> {
    const before = { ...process.env };
    Object.assign(process.env, this.s3.environment);
    const store = new WeightsStore(this.s3.bucket, "m/", "us-east-1");
    const objects = await store.describe(rangeBytes);
    const files = await Promise.all(
      objects.map(async (object) => {
        const { search } = new URL(await store.presign(object.key));
        return { ...object, query: search.slice(1) };
      }),
    );
    const origin = await store.origin();
    store.close();
    for (const name of Object.keys(this.s3.environment)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
    const path = join(this.folder, "plan.json");
    const place = { bucket: this.s3.bucket, prefix: "m/", region: "us-east-1", origin };
    // Silence of a busy machine is no fault; the tests of stalls say less.
    const sizes = { rangeBytes, idleMs: 5000, attempts: 4 };
    const plan = { version: 2, ...place, folder: this.to, files, ...sizes, ...changes };
    await writeFile(path, JSON.stringify(plan));
    return path;
  }

  start(args: readonly string[], environment: Record<string, string> = {}): Running {
    const env = {
      ...process.env,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:1",
      ...environment,
    };
    const child = spawn(process.execPath, [engine, ...args], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.push(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const done = new Promise<Run>((resolve) => {
      child.once("close", (code) => {
        resolve(parse(code, output));
      });
    });
    return { child, done, output: () => output };
  }

  async sync(
    changes: Record<string, unknown> = {},
    environment: Record<string, string> = {},
  ): Promise<Run> {
    return this.start(["sync", await this.plan(changes)], environment).done;
  }

  check(deep = false): Promise<Run> {
    return this.start(["check", this.to, ...(deep ? ["deep"] : [])]).done;
  }

  async assertWhole(): Promise<void> {
    for (const [path, content] of this.#content)
      assert.ok((await readFile(join(this.to, path))).equals(content), `${path} is whole`);
    const manifest = await readFile(join(this.to, "manifest.json"), "utf8");
    const found = await this.check();
    assert.equal(found.result.manifestSha256, createHash("sha256").update(manifest).digest("hex"));
    assert.deepEqual(found.result.damaged, []);
    const left = await readdir(join(this.to, ".sync"));
    assert.deepEqual(left, ["state.json"]);
  }

  /** Whatever has its own name is whole, and without all of it there is no manifest. */
  async assertNothingTorn(): Promise<void> {
    for (const [path, content] of this.#content) {
      const there = await readFile(join(this.to, path)).catch(() => undefined);
      assert.ok(there === undefined || there.equals(content), `${path} is torn`);
    }
    await assert.rejects(stat(join(this.to, "manifest.json")));
  }
}

/** The metadata service of an instance whose role gets other credentials each time that it is asked. */
export class MetadataServer {
  readonly asked: string[] = [];
  /** Of the credentials that were given out last. */
  issued = 0;
  #server: Server | undefined;

  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      this.asked.push(request.method ?? "");
      if (request.method === "PUT") response.end("token");
      else if (request.url?.endsWith("/") === true) response.end("berth-host");
      else {
        const key = {
          AccessKeyId: `ASIA${String(++this.issued)}`,
          SecretAccessKey: "s",
          Token: "t",
        };
        const text = JSON.stringify({ ...key, Expiration: "2099-01-01T00:00:00Z" });
        // In chunks, as a service may answer that does not count its bytes first.
        response.write(text.slice(0, 20));
        response.end(text.slice(20));
      }
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, "127.0.0.1", resolve));
  }

  /** What tells the program where it is. */
  get environment(): Record<string, string> {
    const { port } = this.#server?.address() as AddressInfo;
    return { AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${String(port)}` };
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}
