import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { needs } from "../support/tier.ts";
import { WeightsStore } from "../../provider/adapters/s3.ts";
import { S3Server } from "./support/s3-server.ts";
import { end } from "./support/sshd.ts";

const engine = join(import.meta.dirname, "..", "..", "provider", "remote", "sync", "main.mjs");
const mebibyte = 1024 * 1024;
const rangeBytes = mebibyte / 4;

interface Run {
  readonly code: number | null;
  readonly result: {
    received: number;
    fetchedFiles: number;
    manifestSha256: string;
    damaged: string[];
  };
  readonly error: { code: string; message: string };
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

describe("The sync's program on the host", () => {
  let s3: S3Server;
  let folder: string;
  const content = { a: randomBytes(5 * mebibyte + 12_345), b: randomBytes(mebibyte) };
  const total = content.a.length + content.b.length;
  let children: ChildProcess[] = [];

  beforeEach(async () => {
    s3 = new S3Server();
    await s3.start();
    s3.put("m/a.safetensors", content.a);
    s3.put("m/sub/b.json", content.b);
    folder = await mkdtemp(join(tmpdir(), "berth-sync-"));
  });
  afterEach(async () => {
    await Promise.all(children.map(end));
    children = [];
    await s3.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function plan(changes: Record<string, unknown> = {}): Promise<string> {
    Object.assign(process.env, s3.environment);
    const store = new WeightsStore(s3.bucket, "m/", "us-east-1");
    const objects = await store.describe(rangeBytes);
    const files = await Promise.all(
      objects.map(async (object) => {
        const { search } = new URL(await store.presign(object.key));
        return { ...object, query: search.slice(1) };
      }),
    );
    const origin = await store.origin();
    store.close();
    for (const name of Object.keys(s3.environment)) Reflect.deleteProperty(process.env, name);
    const path = join(folder, "plan.json");
    const base = {
      version: 1,
      bucket: s3.bucket,
      prefix: "m/",
      region: "us-east-1",
      origin,
      folder: join(folder, "to"),
      files,
    };
    await mkdir(join(folder, "to"), { recursive: true });
    const sizes = { rangeBytes, idleMs: 800, attempts: 4 };
    await writeFile(path, JSON.stringify({ ...base, ...sizes, ...changes }));
    return path;
  }

  function start(
    args: readonly string[],
    environment: Record<string, string> = {},
  ): { child: ChildProcess; done: Promise<Run>; output: () => string } {
    const env = {
      ...process.env,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: "http://127.0.0.1:1",
      ...environment,
    };
    const child = spawn(process.execPath, [engine, ...args], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const done = new Promise<Run>((resolve) => {
      child.once("close", (code) => {
        resolve(parse(code, output));
      });
    });
    return { child, done, output: () => output };
  }

  const sync = async (changes: Record<string, unknown> = {}): Promise<Run> =>
    start(["sync", await plan(changes)]).done;
  const check = (): Promise<Run> => start(["check", join(folder, "to")]).done;

  async function assertWhole(): Promise<void> {
    assert.ok(
      (await readFile(join(folder, "to", "a.safetensors"))).equals(content.a),
      "a.safetensors is whole",
    );
    assert.ok(
      (await readFile(join(folder, "to", "sub", "b.json"))).equals(content.b),
      "sub/b.json is whole",
    );
    const manifest = await readFile(join(folder, "to", "manifest.json"), "utf8");
    const found = await check();
    assert.equal(found.result.manifestSha256, createHash("sha256").update(manifest).digest("hex"));
    assert.deepEqual(found.result.damaged, []);
    const rest = (await readdir(join(folder, "to", ".sync"))).filter((name) =>
      /\.(part|journal|whole|tmp)$|lock/.test(name),
    );
    assert.deepEqual(rest, []);
  }

  it("fetches every byte once, and nothing the second time", async () => {
    const first = await sync();
    assert.equal(first.code, 0);
    assert.equal(s3.sent, total);
    await assertWhole();
    const gets = s3.gets;
    const second = await sync();
    assert.equal(s3.gets, gets);
    assert.equal(second.result.manifestSha256, first.result.manifestSha256);
  });

  for (const kind of ["503", "cut-503", "reset", "short", "stall"] as const) {
    it(`gets past a server that answers with: ${kind}`, async () => {
      s3.faults = [{ kind, times: 3 }];
      assert.equal((await sync()).code, 0);
      await assertWhole();
      assert.equal(s3.faults[0]?.times, 0);
    });
  }

  it("gives up after so many tries, and keeps what arrived", async () => {
    s3.slowness = 2 * mebibyte;
    const path = await plan({ lanes: 2 });
    const running = start(["sync", path]);
    await sleep(600);
    s3.faults = [{ kind: "503", times: 1000 }];
    const failed = await running.done;
    assert.equal(failed.code, 1);
    assert.equal(failed.error.code, "E_NETWORK");
    s3.faults = [];
    const sentBefore = s3.sent;
    assert.equal((await sync()).code, 0);
    assert.ok(s3.sent - sentBefore < total, "the second run fetched less than everything");
    await assertWhole();
  });

  for (const checksum of ["CRC32", "none"] as const) {
    const by = checksum === "none" ? "the ETag where there is no checksum" : "the checksum";
    it(`detects a flipped byte by ${by}, and fetches the file once more`, async () => {
      s3.checksum = checksum;
      s3.faults = [{ kind: "flip", times: 1 }];
      const repaired = await sync();
      assert.equal(repaired.code, 0);
      assert.ok(s3.sent > total);
      await assertWhole();
    });

    it(`gives up on a file that ${by} finds damaged twice, and lets nothing of it stand`, async () => {
      s3.checksum = checksum;
      s3.faults = [{ kind: "flip", times: 1000 }];
      assert.equal((await sync()).error.code, "E_CHECKSUM");
      await assert.rejects(stat(join(folder, "to", "manifest.json")));
      await assert.rejects(stat(join(folder, "to", "a.safetensors")));
      s3.faults = [];
      assert.equal((await sync()).code, 0);
      await assertWhole();
    });
  }

  it("mixes no two versions of an object", async () => {
    s3.faults = [{ kind: "replaced", times: 1 }];
    const torn = await sync({ lanes: 1 });
    assert.equal(torn.code, 3);
    assert.equal(torn.error.code, "E_CHANGED");
    await assert.rejects(stat(join(folder, "to", "manifest.json")));
  });

  it("fetches after kill -9 only what was not there", async () => {
    s3.slowness = 0.5 * mebibyte;
    const path = await plan({ lanes: 4, idleMs: 5000 });
    const { child } = start(["sync", path]);
    // The journal is written each second; wait for what it has, then a little more.
    while (s3.sent < 2 * mebibyte) await sleep(50);
    await sleep(1100);
    await end(child);
    const before = s3.sent;
    s3.slowness = undefined;
    assert.equal((await sync()).code, 0);
    const again = s3.sent - before;
    assert.ok(again <= total - mebibyte, `fetched ${String(again)} of ${String(total)} again`);
    await assertWhole();
  });

  it("fetches only the file that is damaged or gone", async () => {
    await sync();
    await rm(join(folder, "to", "sub", "b.json"));
    assert.deepEqual((await check()).result.damaged, ["m/sub/b.json"]);
    s3.sent = 0;
    assert.equal((await sync()).code, 0);
    assert.equal(s3.sent, content.b.length);
    await writeFile(join(folder, "to", "a.safetensors"), "short");
    assert.deepEqual((await check()).result.damaged, ["m/a.safetensors"]);
    assert.equal((await sync()).code, 0);
    await assertWhole();
  });

  it("fetches an object of the same size and another content", async () => {
    await sync();
    const other = randomBytes(content.b.length);
    s3.put("m/sub/b.json", other);
    s3.sent = 0;
    assert.equal((await sync()).code, 0);
    assert.equal(s3.sent, other.length);
    assert.ok((await readFile(join(folder, "to", "sub", "b.json"))).equals(other));
  });

  for (const key of ["m/../evil", "m/sub/../../../evil", "m/manifest.json", "m/.sync/state.json"]) {
    it(`refuses the object name ${key}`, async () => {
      const objects = [
        { key, path: key.slice(2), size: 1, etag: '"x"', query: "", etagIsMd5: false },
      ];
      const refused = await sync({ files: objects });
      assert.equal(refused.error.code, "E_PATH");
      assert.equal(s3.gets, 0);
    });
  }

  it("lets one sync at a time into a folder, and the other wait until it ended or died", async () => {
    s3.slowness = mebibyte;
    const path = await plan({ idleMs: 5000 });
    const first = start(["sync", path]);
    while (s3.sent === 0) await sleep(20);
    const second = start(["sync", path]);
    while (!second.output().includes("@waiting")) await sleep(20);
    await end(first.child);
    s3.slowness = undefined;
    const done = await second.done;
    assert.equal(done.code, 0);
    assert.match(second.output(), new RegExp(`@waiting {"pid":"${String(first.child.pid)}"}`));
    await assertWhole();
  });

  it("falls back to the presigned address when the instance's role is refused", async () => {
    const metadata = new MetadataServer();
    await metadata.start();
    s3.faults = [{ kind: "forbidden", times: 1 }];
    const path = await plan();
    const done = await start(["sync", path], {
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadata.endpoint,
    }).done;
    assert.equal(done.code, 0);
    assert.deepEqual([...new Set(metadata.asked)], ["PUT", "GET"]);
    await metadata.stop();
  });

  it("says before the first byte that the disk is too small", async function () {
    needs(this, "tmpfs", process.getuid?.() === 0, "only root can mount one");
    const to = join(folder, "to");
    await mkdir(to);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=20m", "tmpfs", to]);
    try {
      const full = await sync();
      assert.equal(full.error.code, "E_DISK");
      assert.match(full.error.message, /has 20\.0 MiB free, and .* are needed/);
      assert.equal(s3.gets, 0);
    } finally {
      execFileSync("umount", [to]);
    }
  });
});

class MetadataServer {
  readonly asked: string[] = [];
  #server: import("node:http").Server | undefined;

  async start(): Promise<void> {
    const { createServer } = await import("node:http");
    this.#server = createServer((request, response) => {
      this.asked.push(request.method ?? "");
      if (request.method === "PUT") response.end("token");
      else if (request.url?.endsWith("/") === true) response.end("berth-host");
      else
        response.end(
          JSON.stringify({
            AccessKeyId: "ASIA",
            SecretAccessKey: "s",
            Token: "t",
            Expiration: "2099-01-01T00:00:00Z",
          }),
        );
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, "127.0.0.1", resolve));
  }

  get endpoint(): string {
    const address = this.#server?.address() as import("node:net").AddressInfo;
    return `http://127.0.0.1:${String(address.port)}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}
