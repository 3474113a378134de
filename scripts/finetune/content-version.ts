import { createHash } from "node:crypto";
import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** SHA-256 of a file, in hexadecimal digits. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** Names weights by their content: another training's, another run's, or those of another base model are other ones. */
export async function contentVersion(folder: string): Promise<string> {
  const all = createHash("sha256");
  const names = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
  for (const name of names.toSorted())
    all.update(`${name} ${await sha256Of(join(folder, name))}\n`);
  return all.digest("hex").slice(0, 8);
}
