import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file so that after a crash it is the old one or the new one, whole: written beside, synced, renamed over.
 *
 * @throws the file system's error, such as ENOSPC; the old file is then untouched
 */
export function writeDurably(path: string, text: string, mode = 0o600): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const staged = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(staged, "w", mode);
    try {
      const bytes = Buffer.from(text);
      for (let sent = 0; sent < bytes.length;) sent += writeSync(file, bytes, sent);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(staged, path);
  } catch (error) {
    rmSync(staged, { force: true });
    throw error;
  }
  const directory = openSync(folder, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
