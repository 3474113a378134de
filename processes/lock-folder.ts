import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "./process-alive.ts";

/** Whether the holder of a lock folder is gone: its process is dead, or it never wrote its id. */
async function isStale(folder: string): Promise<boolean> {
  const holder = await readFile(join(folder, "pid"), "utf8").catch(() => "");
  if (holder !== "") return !isAlive(Number(holder));
  const age = await stat(folder).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
  return age > 5000;
}

/**
 * Runs `work` while holding the lock folder `path`, waiting for another process that holds it.
 * A holder that died loses it.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  waiting: () => void = () => undefined,
): Promise<T> {
  for (let round = 0; ; round += 1) {
    try {
      await mkdir(path);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (await isStale(path)) await rm(path, { recursive: true, force: true });
    else if (round === 0) waiting();
    await sleep(200);
  }
  try {
    await writeFile(join(path, "pid"), String(process.pid));
    return await work();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}
