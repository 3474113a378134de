import { spawn } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";

/** How long a child gets between SIGTERM and SIGKILL, in milliseconds. */
const graceMilliseconds = 2000;

/** Reads process group ids on its input; when the input ends, however this process ended, it ends the groups. */
const watchdogScript =
  'groups=""; while read -r verb group; do if [ "$verb" = add ]; then groups="$groups $group"; fi; done; ' +
  'for group in $groups; do kill -TERM "-$group" 2>/dev/null; done; ' +
  '[ -z "$groups" ] || sleep 1; for group in $groups; do kill -KILL "-$group" 2>/dev/null; done';

/** What a child was when it ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One started child, with its whole process group. */
export interface Child {
  readonly process: ChildProcess;
  /** Resolves when it ended; also when it could not be started. */
  readonly exit: Promise<Exit>;
  /** Ends it and all that it started; resolves when it is gone. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/**
 * The children of one update. Each is the leader of a process group, so that what it starts goes with it; a
 * small shell beside them ends them even when this process is killed.
 */
export class ChildProcesses {
  readonly #children = new Set<Child>();
  readonly #watchdog: ChildProcess;

  constructor() {
    this.#watchdog = spawn("sh", ["-c", watchdogScript], {
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    this.#watchdog.unref();
    this.#watchdog.on("error", ignore);
    this.#watchdog.stdin?.on("error", ignore);
  }

  /** Starts a program; standard output and error are pipes. */
  start(command: string, args: readonly string[], options: SpawnOptions): Child {
    const process = spawn(command, args, {
      ...options,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    const exit = new Promise<Exit>((resolve) => {
      process.once("exit", (code, signal) => {
        resolve({ code, signal });
      });
      process.once("error", () => {
        resolve({ code: 127, signal: null });
      });
    });
    const child: Child = {
      process,
      exit,
      kill: () => {
        signalGroup(process, "SIGKILL");
      },
      stop: () => stopChild(process, exit),
    };
    this.#children.add(child);
    this.#watchdog.stdin?.write(`add ${process.pid ?? ""}\n`);
    void exit.then(() => this.#children.delete(child));
    return child;
  }

  /** Ends every child at once. */
  killAll(): void {
    for (const child of this.#children) child.kill();
  }

  /** Ends every child, then the watchdog. */
  async stopAll(): Promise<void> {
    await Promise.all([...this.#children].map((child) => child.stop()));
    const { pid } = this.#watchdog;
    if (pid !== undefined) signalGroup(this.#watchdog, "SIGKILL");
  }
}

async function stopChild(process: ChildProcess, exit: Promise<Exit>): Promise<void> {
  signalGroup(process, "SIGTERM");
  const timer = setTimeout(() => {
    signalGroup(process, "SIGKILL");
  }, graceMilliseconds);
  await exit;
  clearTimeout(timer);
  // What the leader started may outlive it.
  signalGroup(process, "SIGKILL");
}

function signalGroup(process: ChildProcess, signal: NodeJS.Signals): void {
  if (process.pid === undefined) return;
  try {
    globalThis.process.kill(-process.pid, signal);
  } catch {
    // The group is gone already.
  }
}

function ignore(): void {
  // A watchdog that cannot run leaves the update as it is: children are still ended in the ordinary way.
}
