import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stepScript } from "../../provider/step-scripts.ts";
import { needs } from "../support/tier.ts";

const run = promisify(execFile);

describe("The storage step", () => {
  let folder: string;
  let disk = "";
  before(async function () {
    needs(this, "root", process.getuid?.() === 0, "loop devices and mounts need root");
    folder = await mkdtemp(join(tmpdir(), "berth-storage-"));
    await run("truncate", ["-s", "64M", join(folder, "disk")]);
    const made = await run("losetup", ["--show", "-f", join(folder, "disk")]).catch(
      () => undefined,
    );
    needs(this, "loop devices", made !== undefined, "losetup finds none");
    disk = made?.stdout.trim() ?? "";
    await writeFile(join(folder, "step"), stepScript("storage"));
    await writeFile(join(folder, "fstab"), "");
    await mkdir(join(folder, "weights"));
  });
  after(async () => {
    if (disk !== "") await run("losetup", ["-d", disk]);
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs commands in a mount namespace of their own, in which `step` is the step. */
  async function inside(script: string): Promise<string> {
    const setup = `mount --bind ${folder}/fstab /etc/fstab; step() { bash ${folder}/step ${folder}/weights ${disk} 2>&1; }`;
    const { stdout } = await run("unshare", [
      "--mount",
      "bash",
      "-euo",
      "pipefail",
      "-c",
      `${setup}; ${script}`,
    ]);
    return stdout;
  }

  it("leaves weights that are there already where they are", async () => {
    const told = await inside(`touch ${folder}/weights/model; step; rm ${folder}/weights/model`);
    assert.match(told, /@warning weights are in .* already[^]*@changed no/);
  });

  it("makes a file system of an empty disk, mounts it, and does nothing the second time", async () => {
    const told = await inside(
      `step; touch ${folder}/weights/file; step; findmnt -no OPTIONS ${folder}/weights; cat /etc/fstab`,
    );
    assert.match(told, /@changed yes[^]*@changed no[^]*noatime[^]*LABEL=berth-weights .*nofail/);
  });

  it("formats no disk that carries something", async () => {
    assert.match(await inside("step || true"), /carries something already and is left alone/);
    assert.match(
      (await run("blkid", ["-o", "value", "-s", "LABEL", disk])).stdout,
      /berth-weights/,
    );
  });
});
