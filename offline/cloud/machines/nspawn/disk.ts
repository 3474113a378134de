import { mkdir, statfs, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./command.ts";

const gib = 1024 ** 3;

/** Bytes of a machine's disk: what was asked for, as far as the host could ever hold it. */
async function diskBytes(folder: string, diskGiB: number): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.floor(Math.min(diskGiB * gib, bavail * bsize * 0.95));
}

/**
 * Mounts the root of a machine at `<base>/root`: the image, read only, under a file system of its own in a sparse file, so
 * that the disk has an end. All of it goes with the mount namespace.
 */
export async function mountRoot(
  base: string,
  { image, folder, diskGiB }: { image: string; folder: string; diskGiB: number },
): Promise<string> {
  const file = join(folder, "disk.img");
  await writeFile(file, "");
  await truncate(file, await diskBytes(folder, diskGiB));
  // No journal: a disk that is thrown away needs none.
  const features = ["-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard", "-m", "1"];
  await run("mke2fs", "-q", "-F", "-t", "ext4", ...features, file);
  const [disk, root] = [join(base, "disk"), join(base, "root")];
  await mkdir(disk, { recursive: true });
  await mkdir(root, { recursive: true });
  await run("mount", "-o", "loop,noatime", file, disk);
  const [upper, work] = [join(disk, "upper"), join(disk, "work")];
  await mkdir(upper);
  await mkdir(work);
  const layers = `lowerdir=${image},upperdir=${upper},workdir=${work}`;
  await run("mount", "-t", "overlay", "berth", "-o", layers, root);
  return root;
}
