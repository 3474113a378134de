import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir, readFile, stat, writeFile, utimes } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { needs } from "../../../support/tier.ts";
import type { S3Server } from "../../support/s3-server.ts";
import { mebibyte, MetadataServer, SyncFolder } from "../../support/sync-folder.ts";
import { killAgainAndAgain } from "../../support/sync-kills.ts";

const isRoot = process.getuid?.() === 0;

describe("The sync against an S3 and a disk that misbehave", () => {
  let folder: SyncFolder;
  let s3: S3Server;

  beforeEach(async () => {
    folder = new SyncFolder();
    await folder.open();
    s3 = folder.s3;
    folder.put("model.safetensors", randomBytes(2 * mebibyte + 4321));
    folder.put("config.json", randomBytes(700));
    folder.put("sub/empty", Buffer.alloc(0));
  });
  afterEach(() => folder.close());

  it("asks for less when S3 says SlowDown, and comes through", async () => {
    s3.faults = [{ kind: "503", times: 12 }];
    const done = await folder.sync({ attempts: 10 });
    assert.equal(done.code, 0);
    assert.ok(done.result.troubles >= 3);
    await folder.assertWhole();
  });

  it("gets past errors of the server's own", async () => {
    s3.faults = [{ kind: "500", times: 3 }];
    assert.deepEqual((await folder.sync()).error, {});
    await folder.assertWhole();
  });

  for (const [kind, code, status] of [
    ["forbidden", "E_ACCESS", 1],
    ["elsewhere", "E_REGION", 1],
    ["gone", "E_CHANGED", 3],
  ] as const) {
    it(`ends at once and says why when S3 answers: ${kind}`, async () => {
      s3.faults = [{ kind, times: 1000 }];
      const failed = await folder.sync();
      assert.equal(failed.error.code, code);
      assert.equal(failed.code, status);
      if (kind === "elsewhere") assert.match(failed.error.message, /eu-west-1/);
      assert.ok(s3.gets <= 20, "nothing was tried again");
      await folder.assertNothingTorn();
    });
  }

  it("renews a role's credentials that S3 finds expired", async () => {
    const metadata = new MetadataServer();
    await metadata.start();
    try {
      s3.faults = [{ kind: "expired", times: 1 }];
      assert.deepEqual((await folder.sync({ threads: 1 }, metadata.environment)).error, {});
      assert.equal(metadata.issued, 2);
      const last = s3.asked.at(-1)?.authorization ?? "";
      assert.match(last, /Credential=ASIA2\//);
      await folder.assertWhole();
    } finally {
      await metadata.stop();
    }
  });

  it("asks for a new plan when presigned addresses have expired", async () => {
    s3.faults = [{ kind: "expired", times: 1000 }];
    assert.equal((await folder.sync()).error.code, "E_EXPIRED");
  });

  it("signs by the server's clock where the host's is off", async () => {
    const metadata = new MetadataServer();
    await metadata.start();
    try {
      s3.aheadSeconds = 3600;
      assert.deepEqual((await folder.sync({}, metadata.environment)).error, {});
      await folder.assertWhole();
    } finally {
      await metadata.stop();
    }
  });

  it("says that it pays where the bucket's owner wants it", async () => {
    const metadata = new MetadataServer();
    await metadata.start();
    try {
      assert.deepEqual(
        (await folder.sync({ requesterPays: true }, metadata.environment)).error,
        {},
      );
      for (const headers of s3.asked) {
        assert.equal(headers["x-amz-request-payer"], "requester");
        assert.match(headers.authorization ?? "", /SignedHeaders=[^,]*x-amz-request-payer/);
      }
    } finally {
      await metadata.stop();
    }
  });

  it("says that a name cannot be resolved, after its tries", async () => {
    const origin = "http://no-such-host.invalid/weights/";
    const failed = await folder.sync({ origin, attempts: 1 });
    assert.equal(failed.error.code, "E_NETWORK");
    assert.match(failed.error.message, /no-such-host\.invalid/);
  });

  it("does not believe a server whose certificate nobody signed", async () => {
    const [key, cert] = [join(folder.folder, "key.pem"), join(folder.folder, "cert.pem")];
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "1", "-subj", "/CN=localhost"],
        ...["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
      ],
      { stdio: "ignore" },
    );
    let asked = 0;
    const server = createServer(
      { key: await readFile(key), cert: await readFile(cert) },
      (_request, response) => {
        asked += 1;
        response.end();
      },
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const failed = await folder.sync({ origin: `https://127.0.0.1:${String(port)}/weights/` });
    server.close();
    assert.equal(failed.error.code, "E_TLS");
    assert.equal(asked, 0);
    await folder.assertNothingTorn();
  });

  it("folds a checksum of parts from ranges that end where the parts do", async () => {
    s3.checksum = "parts";
    assert.deepEqual((await folder.sync()).error, {});
    await folder.assertWhole();
    s3.put("m/model.safetensors", randomBytes(2 * mebibyte));
    s3.faults = [{ kind: "flip", times: 1000 }];
    assert.equal((await folder.sync()).error.code, "E_CHECKSUM");
  });

  it("has no file and no folder that the world may read", async () => {
    folder.put("vision/model.safetensors", randomBytes(mebibyte));
    assert.deepEqual((await folder.sync()).error, {});
    for (const name of [
      "model.safetensors",
      "config.json",
      "manifest.json",
      "vision",
      "sub",
      ".sync/state.json",
      ".sync",
    ]) {
      const { mode } = await stat(join(folder.to, name));
      assert.equal(mode & 0o007, 0, `${name} has mode ${mode.toString(8)}`);
    }
  });

  it("finds bytes that rotted under an unchanged size and time, when it is asked to read all", async () => {
    await folder.sync();
    const path = join(folder.to, "model.safetensors");
    const { atime, mtime, mtimeMs, size } = await stat(path);
    await writeFile(path, randomBytes(size));
    await utimes(path, atime, mtime);
    if ((await stat(path)).mtimeMs === mtimeMs)
      assert.deepEqual((await folder.check()).result.damaged, []);
    assert.deepEqual((await folder.check(true)).result.damaged, ["m/model.safetensors"]);
  });

  it("leaves nothing torn under a disk that fills up beside it, and goes on when there is room", async function () {
    needs(this, "tmpfs", isRoot, "only root can mount one");
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder.to]);
    try {
      s3.slowness = mebibyte / 8;
      const running = folder.start(["sync", await folder.plan()]);
      while (s3.sent === 0) await sleep(20);
      const filler = join(folder.to, "filler");
      await writeFile(filler, Buffer.alloc(24 * mebibyte)).catch(() => undefined);
      const full = await running.done;
      assert.equal(full.error.code, "E_DISK");
      await folder.assertNothingTorn();
      await writeFile(filler, "");
      s3.slowness = undefined;
      assert.deepEqual((await folder.sync()).error, {});
      await folder.assertWhole();
    } finally {
      execFileSync("umount", ["-l", folder.to]);
    }
  });

  it("says that a disk cannot be written", async function () {
    needs(this, "tmpfs", isRoot, "only root can mount one");
    execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", folder.to]);
    try {
      const failed = await folder.sync();
      assert.equal(failed.error.code, "E_DISK");
      assert.equal(s3.gets, 0);
    } finally {
      execFileSync("umount", ["-l", folder.to]);
    }
  });

  it("is whole after kill -9 at any moment", async () => {
    s3.slowness = 2 * mebibyte;
    await killAgainAndAgain(folder, { rounds: 3, afterMs: { least: 150, most: 1050 } });
    s3.slowness = undefined;
    assert.deepEqual((await folder.sync()).error, {});
    await folder.assertWhole();
  });

  it("keeps all that has arrived when it is told to end", async () => {
    for (let index = 0; index < 40; index++)
      folder.put(`${String(index)}.json`, randomBytes(50_000));
    s3.slowness = mebibyte / 2;
    const { child, done } = folder.start(["sync", await folder.plan({ lanes: 3, threads: 1 })]);
    while (s3.sent < mebibyte) await sleep(20);
    child.kill("SIGTERM");
    const ended = await done;
    assert.deepEqual([ended.code, ended.error.code], [143, "E_STOPPED"]);
    await folder.assertNothingTorn();
    const sent = s3.sent;
    s3.slowness = undefined;
    assert.deepEqual((await folder.sync()).error, {});
    await folder.assertWhole();
    // Only what each lane had under way is fetched a second time.
    const twice = s3.sent - folder.totalBytes;
    assert.ok(sent >= mebibyte && twice <= 3 * (mebibyte / 4), `${String(twice)} bytes came twice`);
  });

  it("keeps its memory within the lanes that it has", async function () {
    needs(this, "VmHWM", process.platform === "linux", "/proc tells it");
    const running = folder.start(["sync", await folder.plan()]);
    let peakMiB = 0;
    while (running.child.exitCode === null && running.child.signalCode === null) {
      const status = await import("node:fs").then(({ readFileSync }) => {
        try {
          return readFileSync(`/proc/${String(running.child.pid)}/status`, "utf8");
        } catch {
          return "";
        }
      });
      peakMiB = Math.max(peakMiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      await sleep(20);
    }
    // 64 lanes of two quarters of a MiB.
    assert.ok(peakMiB > 0 && peakMiB <= 150 + 32, `peak ${peakMiB.toFixed(0)} MiB`);
    assert.deepEqual((await readdir(join(folder.to, ".sync"))).sort(), ["state.json"]);
  });
});
