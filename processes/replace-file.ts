import { randomUUID } from "node:crypto";
import { chmod, open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Has a new name in a folder outlive a power cut, where the file system can: some over a network cannot. */
async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/**
 * Replaces a file in one step: whoever reads it meanwhile, or finds it after a crash, has the old text or the new one, whole.
 * Its mode stays, and where the path is a link, the file that it leads to is replaced.
 *
 * @param mode of a file that is new. @default 0o666, less the umask
 * @throws the file system's error, such as ENOSPC; the old file is then untouched
 */
export async function replaceFile(path: string, text: string, mode = 0o666): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const there = await stat(target).catch(() => undefined);
  const staged = `${target}.${randomUUID()}.tmp`;
  try {
    await writeFile(staged, text, { flush: true, mode: there === undefined ? mode : 0o600 });
    if (there !== undefined) await chmod(staged, there.mode & 0o777);
    await rename(staged, target);
    await flushFolder(dirname(target));
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}
