// How fast the host could be at most: what its disk takes in one short try, and what its network card says of itself.

import { constants } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CrcMemory } from "./crc-kernel.mjs";

const blockBytes = 16 * 1024 * 1024;
const blocks = 4;

/** Bytes a second that direct writes reach, at their best of two tries; undefined where the disk takes none. */
async function diskRate(staging) {
  const path = join(staging, "ceiling.tmp");
  const flags = constants.O_WRONLY | constants.O_CREAT | (constants.O_DIRECT ?? 0);
  const memory = new CrcMemory(blockBytes).view(0, blockBytes);
  let handle;
  try {
    handle = await open(path, flags, 0o600);
    let best = 0;
    for (let round = 0; round < 2; round++) {
      const began = performance.now();
      const writes = Array.from({ length: blocks }, (_, block) =>
        handle.write(memory, 0, blockBytes, block * blockBytes),
      );
      await Promise.all(writes);
      best = Math.max(best, (blocks * blockBytes * 1000) / (performance.now() - began));
    }
    return best;
  } catch {
    return undefined;
  } finally {
    await handle?.close();
    await rm(path, { force: true });
  }
}

/** Of the card that the default route uses; virtual ones often say nothing. */
async function networkRate() {
  try {
    const routes = (await readFile("/proc/net/route", "utf8")).split("\n").slice(1);
    const name = routes.map((line) => line.split("\t")).find((row) => row[1] === "00000000")?.[0];
    const megabits = Number(await readFile(`/sys/class/net/${name}/speed`, "utf8"));
    return megabits > 0 ? (megabits * 1e6) / 8 : undefined;
  } catch {
    return undefined;
  }
}

/** The lower of both, with its name; undefined where neither is known. */
export async function ceiling(staging) {
  const [disk, network] = [await diskRate(staging), await networkRate()];
  if (disk === undefined && network === undefined) return undefined;
  const byDisk = (disk ?? Infinity) <= (network ?? Infinity);
  return { of: byDisk ? "disk" : "network", bytesPerSecond: Math.round(byDisk ? disk : network) };
}
