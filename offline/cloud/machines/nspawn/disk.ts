import { mkdir, stat, statfs, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./command.ts";

const gib = 1024 ** 3;

/** Bytes of a machine's disk: what was asked for, as far as the host could ever hold it. */
async function diskBytes(folder: string, diskGiB: number): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.floor(Math.min(diskGiB * gib, bavail * bsize * 0.95));
}

/** What a machine's root is made of. */
interface RootParts {
  /** The tree of its system, read only. */
  readonly system: string;
  /** The machine's folder on the host. */
  readonly folder: string;
  readonly diskGiB: number;
  /**
   * A disk to begin with, by {@link writeDiskImage} of a machine with the same system, and grown to what is asked for, as EC2 grows
   * a volume beyond its snapshot and cloud-init the file system on it. @default an empty one
   */
  readonly disk?: string | undefined;
}

/** Grows a disk and the file system on it, never shrinks it: a volume is as large as its snapshot at least. */
async function grow(file: string, bytes: number): Promise<void> {
  const { size } = await stat(file);
  if (bytes <= size) return;
  await truncate(file, bytes);
  // The file system was in use when it was copied, so it counts as unchecked; frozen as it was, there is nothing to mend.
  await run("resize2fs", "-f", file);
}

async function layDisk(file: string, { folder, diskGiB, disk }: RootParts): Promise<void> {
  if (disk !== undefined) {
    await run("cp", "--sparse=always", "--reflink=auto", disk, file);
    await grow(file, await diskBytes(folder, diskGiB));
    return;
  }
  await writeFile(file, "");
  await truncate(file, await diskBytes(folder, diskGiB));
  // No journal: a disk that is thrown away needs none.
  const features = ["-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard", "-m", "1"];
  await run("mke2fs", "-q", "-F", "-t", "ext4", ...features, file);
}

/** Copies the disk of a machine that runs, as it is at one moment, into a sparse file. */
export async function writeDiskImage(base: string, folder: string, path: string): Promise<void> {
  const disk = join(base, "disk");
  await run("fsfreeze", "--freeze", disk);
  try {
    await run("cp", "--sparse=always", "--reflink=auto", join(folder, "disk.img"), path);
  } finally {
    await run("fsfreeze", "--unfreeze", disk);
  }
}

/**
 * Mounts the root of a machine at `<base>/root`: the system, read only, under a file system of its own in a sparse file, so
 * that the disk has an end. All of it goes with the mount namespace.
 */
export async function mountRoot(base: string, parts: RootParts): Promise<string> {
  const file = join(parts.folder, "disk.img");
  await layDisk(file, parts);
  const [disk, root] = [join(base, "disk"), join(base, "root")];
  await mkdir(disk, { recursive: true });
  await mkdir(root, { recursive: true });
  await run("mount", "-o", "loop,noatime", file, disk);
  const [upper, work] = [join(disk, "upper"), join(disk, "work")];
  await mkdir(upper, { recursive: true });
  await mkdir(work, { recursive: true });
  const layers = `lowerdir=${parts.system},upperdir=${upper},workdir=${work}`;
  await run("mount", "-t", "overlay", "berth", "-o", layers, root);
  return root;
}
