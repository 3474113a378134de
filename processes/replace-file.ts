import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";

/**
 * Replaces a file in one step: whoever reads it meanwhile, or finds it after a crash, has the old text or the new one, whole.
 *
 * @param mode of a file that is new. @default 0o666, less the umask
 * @throws the file system's error, such as ENOSPC; the old file is then untouched
 */
export async function replaceFile(path: string, text: string, mode = 0o666): Promise<void> {
  const staged = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(staged, text, { flush: true, mode });
    await rename(staged, path);
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}
