// What an earlier sync left in the folder: files that are still as the plan wants them, and pieces of which nothing comes.

import { statSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { targetOf } from "./folder.mjs";

/** A look takes a few microseconds; asking a thread for it takes twenty times as long. */
function look(path) {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * The files that are to be fetched, with their place in the plan.
 *
 * @param state what each finished file left: `{etag, size, mtimeMs}` by its path
 */
export function staleFiles({ folder, files }, state) {
  const stale = [];
  for (const [index, file] of files.entries()) {
    const known = state[file.path];
    const wanted = known?.etag === file.etag && known?.size === file.size;
    const there = wanted ? look(targetOf(folder, file.path)) : undefined;
    const same =
      there?.isFile() === true && there.size === file.size && there.mtimeMs === known.mtimeMs;
    if (!same) stale.push({ file, index });
  }
  return stale;
}

/** Removes what this sync does not go on with: its room is free before any is asked for. */
export async function sweep(staging, parts) {
  const kept = new Set(parts.flatMap(({ path, journalPath }) => [path, journalPath]));
  for (const name of await readdir(staging)) {
    const path = join(staging, name);
    if (/\.(part|journal|whole|tmp)$/.test(name) && !kept.has(path)) await rm(path);
  }
}
