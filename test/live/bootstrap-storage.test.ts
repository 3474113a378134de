import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
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
    const setup = `mount --bind ${folder}/fstab /etc/fstab
      step() { bash ${folder}/step ${folder}/weights "\${@:-${disk}}" 2>&1; }`;
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

  it("mounts its own file system again where a boot did not, or a run was cut off before it", async () => {
    const told = await inside(`step; ls ${folder}/weights; sort /etc/fstab | uniq -d`);
    assert.match(told, /@changed yes\nfile\n$/);
    assert.doesNotMatch(told, /making a file system/);
  });

  it("makes it anew on the empty disk of an instance that was stopped, with one line in fstab", async () => {
    await run("wipefs", ["--all", disk]);
    const told = await inside(`step; ls ${folder}/weights; wc -l </etc/fstab`);
    assert.match(told, /making a file system on [^]*@changed yes\n1\n$/);
  });

  it("formats no disk that carries something of somebody else's", async () => {
    await run("mkfs.ext4", ["-q", "-F", "-L", "mine", disk]);
    assert.match(await inside("step || true"), /carries something already and is left alone/);
    const label = await run("blkid", ["-o", "value", "-s", "LABEL", disk]);
    assert.equal(label.stdout, "mine\n");
  });

  it("takes a folder of the file system that the image has made of the disks, again after a reboot and a stop", async () => {
    const image = join(folder, "image");
    await mkdir(image);
    await writeFile(join(folder, "fstab"), "");
    const told = await inside(`
      weights=${folder}/weights image=${image}
      mount -t tmpfs image $image
      step $image; touch $weights/model; step $image; ls $image/berth-weights
      umount $weights; mount $weights; ls $weights
      umount $weights $image; mount -t tmpfs image $image
      mount $weights; mountpoint -q $weights || echo not there at boot
      step $image; ls $weights; grep -c bind /etc/fstab`);
    assert.match(
      told,
      /@changed yes\n@changed no\nmodel\nmodel\nnot there at boot\ntaking a folder of \S+\n@changed yes\n1\n$/,
    );
  });

  it("says so where the image's file system has gone", async () => {
    assert.match(
      await inside(`step ${join(folder, "image")} || true`),
      /nothing is mounted on .* any more/,
    );
  });
});

/**
 * Stands for mdadm where the kernel has no md driver: the array is the first of its disks. What it says when it fails is said by
 * mdadm 4.2 (https://github.com/md-raid-utilities/mdadm, Create.c).
 */
const fakeMdadm = `#!/bin/sh
echo "$*" >>$FAKE/calls
case $1 in
  --create)
    if [ -e $FAKE/busy ]; then echo "mdadm: cannot open $6: Device or resource busy" >&2; exit 1; fi
    shift 5
    mkdir -p /dev/md; ln -sf $1 /dev/md/berth-weights
    ;;
  --assemble)
    if [ -e $FAKE/lost ]; then echo "mdadm: /dev/md/berth-weights assembled from 1 drive - not enough to start the array." >&2; exit 1; fi
    mkdir -p /dev/md; ln -sf $4 /dev/md/berth-weights
    ;;
esac
`;

/**
 * Writes what makes a disk part of an array of this name: a superblock of version 1.2, 4 KiB into the disk, by the kernel's
 * struct mdp1_super_block (include/uapi/linux/raid/md_p.h).
 */
async function makeMember(disk: string, name: string): Promise<void> {
  const superblock = Buffer.alloc(256);
  superblock.writeUInt32LE(0xa92b4efc, 0);
  superblock.writeUInt32LE(1, 4);
  superblock.fill(7, 16, 32);
  superblock.write(name, 32);
  superblock.writeBigUInt64LE(8n, 144);
  let sum = 0;
  for (let at = 0; at < superblock.length; at += 4) sum += superblock.readUInt32LE(at);
  superblock.writeUInt32LE((sum % 2 ** 32) + Math.floor(sum / 2 ** 32), 216);
  const file = await open(disk, "r+");
  await file.write(superblock, 0, superblock.length, 4096);
  await file.sync();
  await file.close();
}

describe("The storage step with several disks", () => {
  let folder: string;
  const disks: string[] = [];
  before(async function () {
    needs(this, "root", process.getuid?.() === 0, "loop devices and mounts need root");
    folder = await mkdtemp(join(tmpdir(), "berth-stripe-"));
    for (const name of ["one", "two"]) {
      await run("truncate", ["-s", "64M", join(folder, name)]);
      const made = await run("losetup", ["--show", "-f", join(folder, name)]).catch(
        () => undefined,
      );
      needs(this, "loop devices", made !== undefined, "losetup finds none");
      disks.push(made?.stdout.trim() ?? "");
    }
    await writeFile(join(folder, "step"), stepScript("storage"));
    await writeFile(join(folder, "mdadm"), fakeMdadm, { mode: 0o755 });
    await mkdir(join(folder, "weights"));
  });
  beforeEach(async () => {
    for (const disk of disks) await run("wipefs", ["--all", disk]);
    for (const name of ["busy", "lost", "calls"]) await rm(join(folder, name), { force: true });
    await writeFile(join(folder, "fstab"), "");
  });
  after(async () => {
    for (const disk of disks) await run("losetup", ["-d", disk]);
    await rm(folder, { recursive: true, force: true });
  });

  async function inside(script: string): Promise<string> {
    const setup = `mount --bind ${folder}/fstab /etc/fstab; mkdir -p /dev/md; mount -t tmpfs md /dev/md
      step() { bash ${folder}/step ${folder}/weights ${disks.join(" ")} 2>&1; }`;
    const env = { ...process.env, FAKE: folder, PATH: `${folder}:${process.env["PATH"]}` };
    const words = ["--mount", "bash", "-euo", "pipefail", "-c", `${setup}; ${script}`];
    return (await run("unshare", words, { env })).stdout;
  }
  it("makes one file system of them all, and does nothing the second time", async () => {
    const told = await inside(`step; touch ${folder}/weights/x; step; cat ${folder}/calls`);
    const create = `--create /dev/md/berth-weights --run --level=0 --raid-devices=2 ${disks.join(" ")}`;
    assert.match(told, /striping [^]*@changed yes[^]*@changed no/);
    assert.ok(told.endsWith(`@changed no\n${create}\n`), told);
  });

  it("says which disks could not be made one, and mounts nothing", async () => {
    const told = await inside(
      `touch ${folder}/busy; step || true; cat /etc/fstab; ls ${folder}/weights`,
    );
    assert.match(told, /Device or resource busy\nthe disks could not be made one: \S+ \S+\n$/);
  });

  it("leaves disks alone of which one is part of somebody else's array", async () => {
    await makeMember(disks[1] ?? "", "elsewhere:data");
    assert.match(await inside("step || true"), /carries something already and is left alone/);
    const label = await run("blkid", ["-o", "value", "-s", "LABEL", disks[1] ?? ""]);
    assert.equal(label.stdout, "elsewhere:data\n");
  });

  it("takes its own array up again, and makes it anew where that cannot start", async () => {
    for (const disk of disks) await makeMember(disk, "here:berth-weights");
    const assembled = await inside(`step; cut -d' ' -f1 ${folder}/calls`);
    assert.match(assembled, /making a file system[^]*@changed yes\n--assemble\n$/);
    await rm(join(folder, "calls"));
    for (const disk of disks) {
      await run("wipefs", ["--all", disk]);
      await makeMember(disk, "here:berth-weights");
    }
    const made = await inside(`touch ${folder}/lost; step; cut -d' ' -f1 ${folder}/calls`);
    assert.match(made, /not enough to start[^]*striping[^]*@changed yes\n--assemble\n--create\n$/);
  });
});
