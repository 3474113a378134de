import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The text of a file of this folder that runs on the host. */
export function remoteScript(name: string): string {
  return readFileSync(fileURLToPath(new URL(name, import.meta.url)), "utf8");
}
