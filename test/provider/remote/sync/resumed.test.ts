import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { S3Server } from "../../support/s3-server.ts";
import { mebibyte, SyncFolder } from "../../support/sync-folder.ts";

interface Part {
  readonly ranges: readonly { readonly index: number }[];
  open(): Promise<void>;
  finish(index: number, checksum: bigint): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}
interface Plan {
  readonly files: readonly { readonly path: string }[];
}
const path = join(import.meta.dirname, "../../../../provider/remote/sync/part-file.mjs");
const { PartFile } = (await import(pathToFileURL(path).href)) as {
  PartFile: new (file: object, staging: string, plan: object) => Part;
};

describe("A sync that goes on from what an earlier one left", () => {
  let folder: SyncFolder;
  let s3: S3Server;

  beforeEach(async () => {
    folder = new SyncFolder();
    await folder.open();
    s3 = folder.s3;
    folder.put("model.safetensors", randomBytes(2 * mebibyte + 4321));
  });
  afterEach(() => folder.close());

  /** Leaves the model as a sync does that died behind its last range, with other bytes than the journal promises. */
  async function leaveDamaged(): Promise<void> {
    const plan = JSON.parse(await readFile(await folder.plan(), "utf8")) as Plan;
    const file = plan.files.find((each) => each.path === "model.safetensors");
    assert.ok(file !== undefined);
    const part = new PartFile(file, join(folder.to, ".sync"), { ...plan, fileMode: 0o640 });
    await part.open();
    for (const { index } of part.ranges) part.finish(index, 0n);
    await part.flush();
    await part.close();
  }

  for (const checksum of ["CRC32", "none"] as const) {
    it(`fetches a file again that was all there and is damaged (checksum: ${checksum})`, async () => {
      s3.checksum = checksum;
      assert.deepEqual((await folder.sync()).error, {});
      await rm(join(folder.to, "model.safetensors"));
      await leaveDamaged();
      const repaired = await folder.sync();
      assert.deepEqual([repaired.code, repaired.error], [0, {}]);
      await folder.assertWhole();
    });
  }

  it("keeps what had arrived of an object that was gone for a while", async () => {
    s3.slowness = 2 * mebibyte;
    const running = folder.start(["sync", await folder.plan({ lanes: 2 })]);
    while (s3.sent < mebibyte) await sleep(20);
    s3.faults = [{ kind: "gone", times: 1000 }];
    assert.equal((await running.done).error.code, "E_CHANGED");
    s3.faults = [];
    s3.slowness = undefined;
    const before = s3.sent;
    assert.deepEqual((await folder.sync()).error, {});
    const again = s3.sent - before;
    assert.ok(again <= folder.totalBytes - mebibyte / 2, `${String(again)} bytes came again`);
    await folder.assertWhole();
  });
});
