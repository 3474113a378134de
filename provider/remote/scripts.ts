import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The text of a file of this folder that runs on the host. */
export function remoteScript(name: string): string {
  return readFileSync(fileURLToPath(new URL(name, import.meta.url)), "utf8");
}

/** The names of the files in a folder of this one. */
export function remoteScripts(folder: string): readonly string[] {
  return readdirSync(fileURLToPath(new URL(folder, import.meta.url))).toSorted();
}
