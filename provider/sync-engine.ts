import { createHash } from "node:crypto";
import { shellQuote, type Host } from "./adapters/ssh.ts";
import { runDetached, type StepResult } from "./detached-step.ts";
import { ensureNode } from "./ensure-node.ts";
import type { Operation } from "./plugin/resource-type.ts";
import { remoteScript, remoteScripts } from "./remote/scripts.ts";
import { describeProgress } from "./sync-text.ts";

/** A sync that crawls is given up after so long; the next `up` goes on from there. */
const timeoutSeconds = 12 * 3600;
const progressEverySeconds = 5;

/** Puts the sync's program on the host, in a folder named by its content, and finds it a Node. */
export async function installEngine(
  host: Host,
  dataFolder: string,
): Promise<{ node: string; main: string }> {
  const names = remoteScripts("sync");
  const files = Object.fromEntries(names.map((name) => [name, remoteScript(`sync/${name}`)]));
  const text = JSON.stringify(files);
  const sha256 = createHash("sha256").update(text).digest("hex");
  const folder = `${dataFolder}/sync/${sha256.slice(0, 12)}`;
  const node = await ensureNode(host, dataFolder);
  const has = await host.output('[ -d "$1" ] && echo yes || echo no', [folder]);
  if (has.trim() !== "yes") {
    const words = [node.path, "-e", remoteScript("receive-files.cjs"), folder, sha256];
    const command = words.map(shellQuote).join(" ");
    const result = await host.run(command, () => ({ timeoutMs: 60_000, stdin: text }));
    if (result.code !== 0)
      throw new Error(
        `the sync's program could not be put on ${host.name}: ${result.stderr.trim()}`,
      );
  }
  return { node: node.path, main: `${folder}/main.mjs` };
}

/** The sync's program on a host, with what it is to do. */
export interface EngineRun {
  readonly node: string;
  readonly main: string;
  readonly dataFolder: string;
  readonly planPath: string;
}

/** Runs a plan to its end, detached: a lost link or the end of this process does not touch it. */
export function runEngine(
  host: Host,
  engine: EngineRun,
  operation: Operation,
): Promise<StepResult> {
  const progress = describeProgress.follow(progressEverySeconds, (line) => {
    operation.log(line);
  });
  return runDetached(host, {
    name: "weights",
    // A bootstrap beside it goes first. A step is a session of its own, whose niceness counts within it alone: towards other
    // sessions that of its group counts (https://man7.org/linux/man-pages/man7/sched.7.html, "The autogroup feature").
    // exec: a signal to the step reaches the engine itself.
    script: '{ echo 10 >/proc/self/autogroup; } 2>/dev/null\nexec nice -n 10 "$1" "$2" sync "$3"\n',
    args: [engine.node, engine.main, engine.planPath],
    folder: `${engine.dataFolder}/steps`,
    timeoutSeconds,
    signal: operation.signal,
    onLine: progress,
  });
}
