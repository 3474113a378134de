import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { mebibyte, SyncFolder } from "../provider/support/sync-folder.ts";
import { killAgainAndAgain } from "../provider/support/sync-kills.ts";
import { needs } from "../support/tier.ts";

describe("A sync of weights, looked at for long", function () {
  this.timeout(300_000);
  let folder: SyncFolder;

  beforeEach(async () => {
    folder = new SyncFolder();
    await folder.open();
  });
  afterEach(() => folder.close());

  it("leaves nothing torn in a hundred rounds of kill -9, and is whole in the end", async () => {
    folder.put("model.safetensors", randomBytes(2 * mebibyte + 4321));
    folder.put("deep/er/model-2.safetensors", randomBytes(mebibyte));
    for (let index = 0; index < 60; index++)
      folder.put(`many/${String(index)}.json`, randomBytes(3000 + 1000 * index));
    folder.s3.slowness = 4 * mebibyte;
    const finished = await killAgainAndAgain(folder, {
      rounds: 100,
      afterMs: { least: 100, most: 600 },
    });
    assert.ok(finished < 100, "some were killed under way");
    folder.s3.slowness = undefined;
    assert.deepEqual((await folder.sync()).error, {});
    await folder.assertWhole();
  });

  it("takes no more memory than 16 MiB a lane and 150 MiB, by ranges of 8 MiB", async function () {
    needs(this, "VmHWM", process.platform === "linux", "/proc tells it");
    const lanes = 4;
    folder.put("model.safetensors", randomBytes(256 * mebibyte));
    const plan = await folder.plan({ rangeBytes: 8 * mebibyte, lanes, mostLanes: lanes });
    const { child, done } = folder.start(["sync", plan]);
    let peakMiB = 0;
    while (child.exitCode === null && child.signalCode === null) {
      try {
        const status = readFileSync(`/proc/${String(child.pid)}/status`, "utf8");
        peakMiB = Math.max(peakMiB, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
      } catch {
        break; // It ended meanwhile.
      }
      await sleep(10);
    }
    assert.deepEqual((await done).error, {});
    await folder.assertWhole();
    assert.ok(peakMiB > 64 && peakMiB <= lanes * 16 + 150, `peak ${peakMiB.toFixed(0)} MiB`);
  });
});
