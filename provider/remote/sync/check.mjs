// Compares a folder with its manifest.

import { createHash } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { algorithms, encode } from "./checksums.mjs";
import { readJson, targetOf } from "./folder.mjs";

/** The checksum of a file's content, or undefined where the manifest has none that can be taken of the whole. */
async function contentOf(path, checksum) {
  const name = checksum?.algorithm;
  if (checksum?.value === undefined || checksum.value.includes("-")) return undefined;
  const hash = name === "SHA256" ? createHash("sha256") : undefined;
  const handle = await open(path, "r");
  const buffer = Buffer.allocUnsafe(1 << 20);
  let value = 0n;
  try {
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      const bytes = buffer.subarray(0, bytesRead);
      if (hash !== undefined) hash.update(bytes);
      else value = algorithms[name].update(bytes, value);
    }
  } finally {
    await handle.close();
  }
  return hash === undefined ? encode(name, value) : hash.digest("base64");
}

async function isWhole(target, file, known, deep) {
  const there = await stat(target).catch(() => undefined);
  if (there === undefined || there.size !== file.size || known?.etag !== file.etag) return false;
  if (!deep) return known.mtimeMs === there.mtimeMs;
  const content = await contentOf(target, file.checksum);
  return content === undefined || content === file.checksum.value;
}

/** By size and time; `deep` by content. */
export async function check(folder, deep) {
  const text = await readFile(join(folder, "manifest.json"), "utf8").catch(() => undefined);
  if (text === undefined) return { manifestSha256: "", damaged: [] };
  const state = await readJson(join(folder, ".sync", "state.json"), {});
  const damaged = [];
  for (const file of JSON.parse(text).files) {
    const whole = await isWhole(targetOf(folder, file.path), file, state[file.path], deep);
    if (!whole) damaged.push(file.key);
  }
  return { manifestSha256: createHash("sha256").update(text).digest("hex"), damaged };
}
