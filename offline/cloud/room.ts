import { existsSync } from "node:fs";
import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { OfflineError } from "../offline-error.ts";

/** What is going to be written somewhere. */
export interface RoomNeed {
  /** A file or folder, which need not exist yet. */
  readonly path: string;
  readonly bytes: number;
  /** The environment variable that moves it elsewhere. */
  readonly setting: string;
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6)} MB`;
}

/**
 * Checks that the disks hold all that is going to be written; needs on one disk are added up.
 *
 * @throws {OfflineError} that names every disk that is short: what is needed, what is free, how to move it
 */
export async function requireRoom(needs: readonly RoomNeed[]): Promise<void> {
  const disks = new Map<number, { folder: string; free: number; needs: RoomNeed[] }>();
  for (const need of needs.filter(({ bytes }) => bytes > 0)) {
    const folder = nearestExisting(need.path);
    const { dev } = await stat(folder);
    const { bavail, bsize } = await statfs(folder);
    const disk = disks.get(dev) ?? { folder, free: bavail * bsize, needs: [] };
    disk.needs.push(need);
    disks.set(dev, disk);
  }
  const short = [...disks.values()].filter(
    (disk) => disk.needs.reduce((sum, { bytes }) => sum + bytes, 0) > disk.free,
  );
  if (short.length === 0) return;
  const lines = short.map((disk) => {
    const parts = disk.needs.map(({ path, bytes }) => `${megabytes(bytes)} in ${path}`);
    return `${parts.join(" and ")} needed, ${megabytes(disk.free)} free on that disk`;
  });
  const settings = [...new Set(short.flatMap((disk) => disk.needs.map(({ setting }) => setting)))];
  throw new OfflineError(
    `There is not enough room on the disk: ${lines.join("; ")}.`,
    `Make room there, or name a folder on another disk in ${settings.join(" or ")}.`,
  );
}
