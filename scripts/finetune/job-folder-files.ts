import { createHash } from "node:crypto";
import { chmodSync, createReadStream, existsSync, mkdirSync, readdirSync } from "node:fs";
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JobPrograms } from "../../components/training/job-folder.ts";
import type { JobFile } from "../../components/training/sharding-files.ts";
import { UserError } from "../../components/user-error.ts";
import { repository } from "../adapters/repository.ts";

/** The Python programs that every folder gets. */
export function jobPrograms(): JobPrograms {
  const read = (name: string) =>
    readFileSync(join(repository, "components/training/scripts", name), "utf8");
  return {
    "hosts.py": read("hosts.py"),
    "train.py": read("train.py"),
    "merge.py": read("merge.py"),
    "card.py": read("card.py"),
    "train_megatron.py": read("train_megatron.py"),
    "convert_megatron.py": read("convert_megatron.py"),
  };
}

function onlyParts(data: string): boolean {
  return !existsSync(data) || readdirSync(data).every((name) => name.endsWith(".jsonl.part"));
}

/**
 * Refuses a folder that something else lives in.
 *
 * @throws UserError when it is there, not empty, and no folder of a fine-tuning
 */
export function refuseForeignFolder(folder: string): void {
  if (!existsSync(folder)) return;
  if (statSync(folder).isDirectory()) {
    const names = readdirSync(folder);
    // The data come first, so a folder that was cut off in the middle has nothing else.
    const begun = names.every((name) => name === "data") && onlyParts(join(folder, "data"));
    if (names.includes("job.json") || begun) return;
  }
  throw new UserError(`${folder} is there, and is no folder of a fine-tuning.`, {
    hint: "Give with --out a folder that is new or empty.",
  });
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}

async function sameBytes(one: string, other: string): Promise<boolean> {
  if (statSync(one).size !== statSync(other).size) return false;
  return (await sha256(one)) === (await sha256(other));
}

function isThereAndDiffers(path: string, text: string): boolean {
  return existsSync(path) && readFileSync(path, "utf8") !== text;
}

/**
 * Refuses to replace what would change: by hand or by another plan, somebody may want it.
 *
 * @param data written data sets by the places where they go
 * @throws UserError naming every file that would change
 */
export async function refuseChanges(
  folder: string,
  files: readonly JobFile[],
  data: ReadonlyMap<string, string>,
): Promise<void> {
  const changed = files
    .filter(({ path, text }) => isThereAndDiffers(join(folder, path), text))
    .map(({ path }) => path);
  for (const [place, written] of data) {
    if (existsSync(place) && !(await sameBytes(place, written))) {
      changed.push(place.slice(folder.length + 1));
    }
  }
  if (changed.length === 0) return;
  throw new UserError(`${folder} has another fine-tuning, or was changed by hand.`, {
    problems: changed.map((path) => `${path} would change`),
    hint: "Give another folder with --out, or --force to replace these; output stays as it is.",
  });
}

/** Writes each file whole or not at all. */
export function writeJobFiles(folder: string, files: readonly JobFile[]): void {
  mkdirSync(folder, { recursive: true });
  for (const { path, text, executable = false } of files) {
    const place = join(folder, path);
    writeFileSync(`${place}.part`, text);
    if (executable) chmodSync(`${place}.part`, 0o755);
    renameSync(`${place}.part`, place);
  }
}
