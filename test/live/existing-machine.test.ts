import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listWeightsFolder } from "../../components/weights/folder-listing.ts";
import { UserError } from "../../components/user-error.ts";
import { copyWeights, missingCopies } from "../../provider/copy-weights.ts";
import { claimHost, releaseHost, stillClaimed } from "../../provider/existing-host.ts";
import { existingHost } from "../../provider/resources/existing-host.ts";
import { Started } from "../support/tier.ts";
import { CutProxy } from "../provider/support/cut-proxy.ts";
import { hostOn, operation } from "../provider/support/host.ts";
import { freePort, needsSshd, startSshd, type TestSshd } from "../provider/support/sshd.ts";

const claim = { dataFolder: "/opt/berth", stack: "dev", runId: "0123456789ab" };

describe("A machine that is there already", () => {
  let sshd: TestSshd;
  let source: string;
  const started = new Started();
  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd());
    source = await mkdtemp(join(tmpdir(), "berth-copy-"));
  });
  after(async () => {
    await started.stop();
    await rm(source, { recursive: true, force: true });
  });
  const folder = "/opt/berth/weights/m";
  const onHost = (...parts: string[]) => join(sshd.root, folder, ...parts);

  it("is one deployment's at a time, and tells the same number every time", async () => {
    const host = hostOn(sshd);
    const machineId = await claimHost(host, claim);
    assert.match(machineId, /^machine-[0-9a-f]{16}$/);
    assert.equal(await claimHost(host, claim), machineId);
    const other = { ...claim, stack: "staging", runId: "ffffffffffff" };
    const refused = (work: Promise<unknown>) =>
      assert.rejects(work, /is taken by the stack "dev" \(run 0123456789ab\) \(E_TAKEN\)/);
    await refused(claimHost(host, other));
    await refused(releaseHost(host, other));
    await refused(stillClaimed(host, other));
    await stillClaimed(host, claim);
    host.close();
  });

  it("is filled from a folder, links and folders in it included, and only what is of use", async () => {
    await mkdir(join(source, "sub"));
    await mkdir(join(source, ".cache"));
    await writeFile(join(source, "model.safetensors"), Buffer.alloc(3_000_000, 7));
    await writeFile(join(source, "pytorch_model.bin"), "a copy");
    await writeFile(join(source, ".cache/lock"), "");
    await writeFile(join(source, "sub/it's a name"), "quoted");
    await symlink(join(source, "sub/it's a name"), join(source, "config.json"));
    const paths = listWeightsFolder(source).map(({ path }) => path);
    assert.deepEqual(paths, ["config.json", "model.safetensors", "sub/it's a name"]);
    const host = hostOn(sshd);
    const copied = await copyWeights(host, { source, folder }, operation());
    assert.equal(copied.bytes, 3_000_012);
    assert.equal(await readFile(onHost("config.json"), "utf8"), "quoted");
    const again = operation();
    assert.deepEqual(await copyWeights(host, { source, folder }, again), copied);
    assert.match(again.lines.join(), /all 3 files \(3\.0 MB\) were there already/);
    await rm(onHost("config.json"));
    assert.deepEqual(await missingCopies(host, folder, copied.files), ["config.json"]);
    await rm(join(source, "sub/it's a name"));
    await rm(join(source, "config.json"));
    await copyWeights(host, { source, folder }, operation());
    assert.equal(existsSync(onHost("sub/it's a name")), false);
    host.close();
  });

  it("goes on in the middle of a file when the link is cut", async () => {
    await writeFile(join(source, "model.safetensors"), Buffer.alloc(20_000_000, 8));
    const proxy = new CutProxy(sshd.port);
    const host = hostOn(sshd, { port: await proxy.start() });
    const log = operation();
    const copying = copyWeights(host, { source, folder }, log);
    const part = onHost(".copy");
    let cuts = 0;
    const cutting = setInterval(() => {
      const some = existsSync(part) && readdirSync(part).some((name) => !name.endsWith(".json"));
      if (cuts >= 2 || !some) return;
      cuts += 1;
      proxy.cut();
    }, 20);
    const { bytes } = await copying;
    clearInterval(cutting);
    assert.ok(cuts > 0 && proxy.connections > 1);
    assert.equal(bytes, 20_000_000);
    assert.ok((await readFile(onHost("model.safetensors"))).equals(Buffer.alloc(20_000_000, 8)));
    host.close();
    await proxy.stop();
  });

  it("does not take what is damaged under way for the file", async () => {
    await writeFile(join(source, "model.safetensors"), "good");
    const { createHash } = await import("node:crypto");
    const sha256 = createHash("sha256").update("good").digest("hex");
    await writeFile(onHost(".copy", sha256), "bad!");
    const host = hostOn(sshd);
    await copyWeights(host, { source, folder }, operation());
    assert.equal(await readFile(onHost("model.safetensors"), "utf8"), "good");
    host.close();
  });

  it("keeps what is not berth's when it is given back, and says so", async () => {
    await writeFile(join(sshd.root, "opt/berth/mine"), "");
    const host = hostOn(sshd);
    const stays = await releaseHost(host, claim);
    assert.deepEqual(stays, [`${sshd.root}/opt/berth: it holds files that are not berth's`]);
    assert.equal(existsSync(onHost()), false);
    await rm(join(sshd.root, "opt/berth/mine"));
    assert.deepEqual(await releaseHost(host, claim), []);
    assert.equal(existsSync(join(sshd.root, "opt/berth")), false);
    host.close();
  });

  it("is given up only when that is asked for", async () => {
    const connection = {
      host: "127.0.0.1",
      port: await freePort(),
      user: sshd.user,
      hostKey: sshd.hostKey,
    };
    const state = { connection, ...claim, machineId: "machine-0" };
    const log = operation();
    await assert.rejects(existingHost.delete("machine-0", state, log), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.match(error.hint ?? "", /BERTH_ABANDON_HOST=1/);
      return true;
    });
    process.env["BERTH_ABANDON_HOST"] = "1";
    try {
      await existingHost.delete("machine-0", state, log);
    } finally {
      delete process.env["BERTH_ABANDON_HOST"];
    }
    assert.match(log.lines.join(), /is given up; what berth put there stays on it/);
  }).timeout(90_000);
});
