import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { end } from "./sshd.ts";
import type { SyncFolder } from "./sync-folder.ts";

/** How often a sync is killed, and when. */
export interface Kills {
  readonly rounds: number;
  /** The moment is drawn from between them, in milliseconds after the start. */
  readonly afterMs: { readonly least: number; readonly most: number };
}

/**
 * Starts a sync again and again and ends each by SIGKILL. After each, whatever has its own name must be whole; a folder that
 * got finished is emptied.
 *
 * @returns how many had finished
 */
export async function killAgainAndAgain(folder: SyncFolder, kills: Kills): Promise<number> {
  const { least, most } = kills.afterMs;
  let finished = 0;
  for (let round = 0; round < kills.rounds; round++) {
    const { child, done } = folder.start(["sync", await folder.plan({ lanes: 3 })]);
    await sleep(least + Math.random() * (most - least));
    await end(child);
    await done;
    // A kill may come after the last step.
    if (existsSync(join(folder.to, "manifest.json"))) {
      await folder.assertWhole();
      finished += 1;
      await rm(folder.to, { recursive: true });
      await mkdir(folder.to);
    } else await folder.assertNothingTorn();
  }
  return finished;
}
