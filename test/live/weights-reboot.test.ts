import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { nspawnTier } from "../../offline/cloud/machines/nspawn.ts";
import type { Machine } from "../../offline/cloud/machines/machine.ts";
import { Host } from "../../provider/adapters/ssh.ts";
import { syncWeights } from "../../provider/sync-weights.ts";
import { layGround, specOn, type Ground } from "../offline/cloud/machines/support.ts";
import { operation } from "../provider/support/host.ts";
import { S3Server } from "../provider/support/s3-server.ts";
import { needs } from "../support/tier.ts";

const mebibyte = 2 ** 20;
const shards = Array.from({ length: 384 }, () => randomBytes(mebibyte / 4));
const total = (shards.length * mebibyte) / 4;

async function bytesInPlace(host: Host): Promise<number> {
  const state = await host.output("cat /opt/berth/weights/m/.sync/state.json || echo '{}'");
  return Object.keys(JSON.parse(state) as object).length * (mebibyte / 4);
}

describe("A host that reboots while its weights come", function () {
  this.timeout(300_000);
  const s3 = new S3Server();
  const environment = { ...process.env };
  let ground: Ground | undefined;
  let machine: Machine | undefined;
  before(async function () {
    const { ok, why } = await nspawnTier.available();
    needs(this, "nspawn", ok, why);
    await nspawnTier.prepare(() => undefined);
    await s3.start();
    ground = await layGround(false);
    const cloudPort = Number(new URL(s3.endpoint).port);
    machine = await nspawnTier.start(specOn(ground, { cloudPort, diskGiB: 2 }));
    Object.assign(process.env, s3.environment);
    process.env["BERTH_SSH_PRIVATE_KEY"] = ground.clientKey.privateKey;
  });
  after(async () => {
    await machine?.terminate();
    await ground?.close();
    await s3.stop();
    process.env = environment;
  });

  it("goes on by itself, and has every byte in the end", async () => {
    assert.ok(machine !== undefined && ground !== undefined);
    const { publicKey } = ground.hostKey;
    const target = { host: machine.address, port: machine.sshPort, user: "ubuntu" };
    const hostKeys = () => Promise.resolve([publicKey]);
    const host = new Host({ ...target, hostKeys }, { connectMs: 120_000 });
    for (const [index, shard] of shards.entries()) s3.put(`m/model-${index}.safetensors`, shard);
    s3.slowness = mebibyte / 8;
    const inputs = { bucket: s3.bucket, prefix: "m/", region: "us-east-1" };
    const places = { folder: "/opt/berth/weights/m", dataFolder: "/opt/berth" };
    const running = syncWeights(host, { ...inputs, ...places }, operation(200));
    // Heard below; where something fails before, it ends with the machine.
    running.catch(() => undefined);
    const boot = "cat /proc/sys/kernel/random/boot_id";
    const before = await host.output(boot);
    while (s3.sent < 0.7 * total) await sleep(50);
    // The rest hardly comes, so that a busy disk has the time to put in place what has.
    s3.slowness = 1024;
    let keptBytes = await bytesInPlace(host);
    const until = Date.now() + 60_000;
    while (keptBytes < 0.25 * total && Date.now() < until) keptBytes = await bytesInPlace(host);
    assert.ok(keptBytes >= 0.25 * total, `${String(keptBytes)} bytes are in place while more come`);
    await host.output("sudo -n systemctl reboot --no-block");
    while ((await host.output(boot)) === before) await sleep(200);
    const sentBefore = s3.sent;
    s3.slowness = undefined;
    const synced = await running;
    assert.equal(synced.bytes, total);
    const sentAfter = s3.sent - sentBefore;
    assert.ok(sentAfter <= total - keptBytes, `${String(sentAfter)} bytes were fetched again`);
    // A system that goes down in order lets the sync put in place what has arrived, too.
    assert.ok(sentAfter <= 0.5 * total, `${String(sentAfter)} bytes were fetched again`);
    const sums = await host.output("cd /opt/berth/weights/m; sha256sum *.safetensors");
    const found = new Map(sums.split("\n").map((line) => [line.slice(66), line.slice(0, 64)]));
    for (const [index, shard] of shards.entries()) {
      const sha256 = createHash("sha256").update(shard).digest("hex");
      assert.equal(found.get(`model-${index}.safetensors`), sha256);
    }
    host.close();
  });
});
