import { readdirSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAlive } from "../../processes/process-alive.ts";
import { cacheFolder } from "./cache-folder.ts";

/** One running cloud, as its file in the cache folder tells it. */
interface Owner {
  readonly pid: number;
  /** Start time of the owner, as the kernel counts it, so that a number used again is told apart. */
  readonly started: string;
  readonly motoPid: number;
  /** The state folder, when the cloud made it itself. */
  readonly folder: string | undefined;
}

const listFolder = (): string => join(cacheFolder(), "clouds");

/** A process's start time where the system tells it (Linux), else empty. */
async function startTime(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The name, in brackets, may hold spaces; the start time is the 20th field after it.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

async function isSame(owner: Owner): Promise<boolean> {
  return (
    isAlive(owner.pid) && (owner.started === "" || owner.started === (await startTime(owner.pid)))
  );
}

/** Writes a running cloud down; the function that it resolves to strikes it out again. */
export async function registerOwner(
  motoPid: number,
  folder: string | undefined,
): Promise<() => Promise<void>> {
  await mkdir(listFolder(), { recursive: true });
  const file = join(listFolder(), `${process.pid}-${motoPid}.json`);
  const owner: Owner = { pid: process.pid, started: await startTime(process.pid), motoPid, folder };
  await writeFile(file, JSON.stringify(owner));
  return () => rm(file, { force: true });
}

/** Whether a process is a moto that this project started. */
async function isMoto(pid: number): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.includes("serve.py") && command.includes("moto");
}

/** Removes what clouds left whose owner died without a word: folders, and a moto that still runs. */
export async function sweepOwners(log: (line: string) => void): Promise<void> {
  let names: string[];
  try {
    names = readdirSync(listFolder());
  } catch {
    return;
  }
  for (const name of names.filter((each) => each.endsWith(".json"))) {
    const file = join(listFolder(), name);
    const text = await readFile(file, "utf8").catch(() => "");
    let owner: Owner;
    try {
      owner = JSON.parse(text) as Owner;
    } catch {
      continue;
    }
    if (await isSame(owner)) continue;
    log(
      `emulated AWS: clearing up after process ${owner.pid}, which ended without stopping its cloud`,
    );
    if (await isMoto(owner.motoPid)) process.kill(owner.motoPid, "SIGKILL");
    if (owner.folder !== undefined) await rm(owner.folder, { recursive: true, force: true });
    await rm(file, { force: true });
  }
}
