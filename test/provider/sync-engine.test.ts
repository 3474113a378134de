import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { needs } from "../support/tier.ts";
import type { S3Server } from "./support/s3-server.ts";
import { end } from "./support/sshd.ts";
import { mebibyte, MetadataServer, rangeBytes, SyncFolder } from "./support/sync-folder.ts";

describe("The sync's program on the host", () => {
  const content = { a: randomBytes(5 * mebibyte + 12_345), b: randomBytes(mebibyte) };
  const total = content.a.length + content.b.length;
  let folder: SyncFolder;
  let s3: S3Server;

  beforeEach(async () => {
    folder = new SyncFolder();
    await folder.open();
    s3 = folder.s3;
    folder.put("a.safetensors", content.a);
    folder.put("sub/b.json", content.b);
  });
  afterEach(() => folder.close());

  it("fetches every byte once, and nothing the second time", async () => {
    const first = await folder.sync();
    assert.equal(first.code, 0);
    assert.equal(s3.sent, total);
    await folder.assertWhole();
    const gets = s3.gets;
    const second = await folder.sync();
    assert.equal(s3.gets, gets);
    assert.equal(second.result.manifestSha256, first.result.manifestSha256);
  });

  it("brings files of every size whole, some past the page cache and some through it", async () => {
    const sizes = [0, 1, 4095, 16_383, 16_384, 16_385, 40_960, 99_999, rangeBytes, rangeBytes + 1];
    for (const size of sizes) folder.put(`sizes/${String(size)}.json`, randomBytes(size));
    for (let index = 0; index < 80; index++)
      folder.put(`many/${String(index)}.json`, randomBytes(17_000 + index));
    assert.deepEqual((await folder.sync({ lanes: 4 })).error, {});
    await folder.assertWhole();
    assert.deepEqual((await folder.check(true)).result.damaged, []);
  });

  for (const kind of ["503", "cut-503", "reset", "short", "stall"] as const) {
    it(`gets past a server that answers with: ${kind}`, async () => {
      s3.faults = [{ kind, times: 3 }];
      const patience = kind === "stall" ? { idleMs: 1500, attempts: 10 } : {};
      assert.deepEqual((await folder.sync(patience)).error, {});
      await folder.assertWhole();
      assert.equal(s3.faults[0]?.times, 0);
    });
  }

  it("gives up after so many tries, and keeps what arrived", async () => {
    s3.slowness = 2 * mebibyte;
    const path = await folder.plan({ lanes: 2 });
    const running = folder.start(["sync", path]);
    while (s3.sent < mebibyte) await sleep(20);
    s3.faults = [{ kind: "503", times: 1000 }];
    const failed = await running.done;
    assert.equal(failed.code, 1);
    assert.equal(failed.error.code, "E_NETWORK");
    s3.faults = [];
    const sentBefore = s3.sent;
    assert.deepEqual((await folder.sync()).error, {});
    assert.ok(s3.sent - sentBefore < total, "the second run fetched less than everything");
    await folder.assertWhole();
  });

  for (const checksum of ["CRC32", "none"] as const) {
    const by = checksum === "none" ? "the ETag where there is no checksum" : "the checksum";
    it(`detects a flipped byte by ${by}, and fetches the file once more`, async () => {
      s3.checksum = checksum;
      s3.faults = [{ kind: "flip", times: 1 }];
      const repaired = await folder.sync();
      assert.equal(repaired.code, 0);
      assert.ok(s3.sent > total);
      await folder.assertWhole();
    });

    it(`gives up on a file that ${by} finds damaged twice, and lets nothing of it stand`, async () => {
      s3.checksum = checksum;
      s3.faults = [{ kind: "flip", times: 1000 }];
      assert.equal((await folder.sync()).error.code, "E_CHECKSUM");
      await assert.rejects(stat(join(folder.to, "manifest.json")));
      await assert.rejects(stat(join(folder.to, "a.safetensors")));
      s3.faults = [];
      assert.deepEqual((await folder.sync()).error, {});
      await folder.assertWhole();
    });
  }

  it("mixes no two versions of an object", async () => {
    s3.faults = [{ kind: "replaced", times: 1 }];
    const torn = await folder.sync({ lanes: 1 });
    assert.equal(torn.code, 3);
    assert.equal(torn.error.code, "E_CHANGED");
    await assert.rejects(stat(join(folder.to, "manifest.json")));
  });

  it("fetches after kill -9 only what was not there", async () => {
    s3.slowness = 0.5 * mebibyte;
    const path = await folder.plan({ lanes: 4 });
    const { child } = folder.start(["sync", path]);
    const staging = join(folder.to, ".sync");
    const journalled = async (): Promise<number> => {
      const names = (await readdir(staging)).filter((name) => name.endsWith(".journal"));
      const texts = await Promise.all(names.map((name) => readFile(join(staging, name), "utf8")));
      return texts.reduce((sum, text) => sum + text.split("\n").length - 2, 0);
    };
    while (s3.sent < 2 * mebibyte || (await journalled()) * rangeBytes < mebibyte) {
      assert.equal(child.exitCode, null, "it was over before it could be killed");
      await sleep(50);
    }
    await end(child);
    const before = s3.sent;
    s3.slowness = undefined;
    assert.deepEqual((await folder.sync()).error, {});
    const again = s3.sent - before;
    assert.ok(again <= total - mebibyte, `fetched ${String(again)} of ${String(total)} again`);
    await folder.assertWhole();
  });

  it("fetches only the file that is damaged or gone", async () => {
    await folder.sync();
    await rm(join(folder.to, "sub", "b.json"));
    assert.deepEqual((await folder.check()).result.damaged, ["m/sub/b.json"]);
    s3.sent = 0;
    assert.deepEqual((await folder.sync()).error, {});
    assert.equal(s3.sent, content.b.length);
    await writeFile(join(folder.to, "a.safetensors"), "short");
    assert.deepEqual((await folder.check()).result.damaged, ["m/a.safetensors"]);
    assert.deepEqual((await folder.sync()).error, {});
    await folder.assertWhole();
  });

  it("fetches an object of the same size and another content", async () => {
    await folder.sync();
    const other = randomBytes(content.b.length);
    s3.put("m/sub/b.json", other);
    s3.sent = 0;
    assert.deepEqual((await folder.sync()).error, {});
    assert.equal(s3.sent, other.length);
    assert.ok((await readFile(join(folder.to, "sub", "b.json"))).equals(other));
  });

  for (const key of ["m/../evil", "m/sub/../../../evil", "m/manifest.json", "m/.sync/state.json"]) {
    it(`refuses the object name ${key}`, async () => {
      const objects = [
        { key, path: key.slice(2), size: 1, etag: '"x"', query: "", etagIsMd5: false },
      ];
      const refused = await folder.sync({ files: objects });
      assert.equal(refused.error.code, "E_PATH");
      assert.equal(s3.gets, 0);
    });
  }

  it("lets one sync at a time into a folder, and the other wait until it ended or died", async () => {
    s3.slowness = mebibyte;
    const path = await folder.plan();
    const first = folder.start(["sync", path]);
    while (s3.sent === 0) await sleep(20);
    const second = folder.start(["sync", path]);
    while (!second.output().includes("@waiting")) await sleep(20);
    await end(first.child);
    s3.slowness = undefined;
    const done = await second.done;
    assert.equal(done.code, 0);
    assert.match(second.output(), new RegExp(`@waiting {"pid":"${String(first.child.pid)}"}`));
    await folder.assertWhole();
  });

  it("falls back to the presigned address when the instance's role is refused", async () => {
    const metadata = new MetadataServer();
    await metadata.start();
    s3.faults = [{ kind: "forbidden", times: 1 }];
    const path = await folder.plan();
    const done = await folder.start(["sync", path], {
      ...metadata.environment,
    }).done;
    assert.equal(done.code, 0);
    assert.deepEqual([...new Set(metadata.asked)], ["PUT", "GET"]);
    await metadata.stop();
  });

  it("says before the first byte that the disk is too small", async function () {
    needs(this, "tmpfs", process.getuid?.() === 0, "only root can mount one");
    const to = folder.to;
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=20m", "tmpfs", to]);
    try {
      const full = await folder.sync();
      assert.equal(full.error.code, "E_DISK");
      assert.match(full.error.message, /has 20\.0 MiB free, and .* are needed/);
      assert.equal(s3.gets, 0);
    } finally {
      execFileSync("umount", [to]);
    }
  });
});
