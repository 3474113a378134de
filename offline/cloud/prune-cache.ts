import { readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";

/** What is built once, lies in the cache folder, and is made again when it is missed. */
const builtOnce = /^(image|moto)-/;

/** Days without use after which it goes: another checkout of the project may be using what this one has outgrown. */
const unusedDays = 30;

const dayMs = 86_400_000;

/** Says that something in the cache folder is used now, by the time of its folder. */
export async function markUsed(path: string, now = new Date()): Promise<void> {
  await utimes(path, now, now);
}

/**
 * Removes machine images and Python environments that nobody has used for a month. It is called when another one has been
 * built, which is when an old one is outgrown.
 *
 * @returns names of what was removed
 */
export async function pruneCache(now = new Date()): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of await readdir(cacheFolder())) {
    const path = join(cacheFolder(), name);
    if (!builtOnce.test(name) || name.endsWith(".making")) continue;
    const { mtimeMs } = await stat(path);
    if (now.getTime() - mtimeMs < unusedDays * dayMs) continue;
    await rm(path, { recursive: true, force: true });
    removed.push(name);
  }
  return removed;
}
