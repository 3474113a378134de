import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../user-error.ts";
import { selectWeights, type WeightsSelection } from "./select-weights.ts";

/** A file of a folder of weights. */
export interface ListedFile {
  /** Below the folder, with slashes. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** When it was last written, milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** A folder as a person names it: `~` is the home folder, all else from where berth runs. */
export function resolveFolder(folder: string): string {
  return resolve(folder.replace(/^~(?=\/|$)/, homedir()));
}

/**
 * The files of a folder that a host needs, by path; hidden folders, such as a download's cache, are passed over.
 *
 * @throws UserError when there is no such folder, or nothing of use in it
 */
export function listWeightsFolder(
  folder: string,
  selection: WeightsSelection = {},
): readonly ListedFile[] {
  const hint = "Set berth:weightsFolder to the folder that holds the model's files.";
  let entries;
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (cause) {
    throw new UserError(`The folder of weights ${folder} cannot be read.`, { hint, cause });
  }
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => !path.split("/").some((part) => part.startsWith(".")))
    // What is linked counts as what it is a link to: that is how a hub's cache keeps models.
    .map((path) => ({ path, stat: statSync(join(folder, path), { throwIfNoEntry: false }) }))
    .flatMap(({ path, stat }) =>
      stat?.isFile() === true ? [{ path, size: stat.size, modifiedMs: stat.mtimeMs }] : [],
    );
  const selected = selectWeights(files, selection).toSorted((a, b) => (a.path < b.path ? -1 : 1));
  if (selected.length === 0) {
    throw new UserError(`There are no weights in ${folder}.`, { hint });
  }
  return selected;
}

/** Changes when a file does; no content is read for it. */
export function fingerprintOf(files: readonly ListedFile[]): string {
  const text = JSON.stringify(files.map(({ path, size, modifiedMs }) => [path, size, modifiedMs]));
  return createHash("sha256").update(text).digest("hex");
}
