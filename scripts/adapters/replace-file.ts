import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";

/**
 * Replaces a file in one step: whoever reads it meanwhile, or finds it after a crash, has the old text or the new one, whole.
 *
 * @throws the file system's error, such as ENOSPC; the old file is then untouched
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const staged = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(staged, text, { flush: true });
    await rename(staged, path);
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}
