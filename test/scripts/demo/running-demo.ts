import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const repository = join(import.meta.dirname, "..", "..", "..");
/** Where tsx keeps what it compiled, below the folder for temporary files. */
const compiled = `tsx-${process.geteuid?.() ?? ""}`;
const demo = ["--import", "tsx", "scripts/cli.ts", "demo", "--tier", "process"];

/** Runs a command before the demo's own, in the same mount namespace: `exec "$@"` goes on with the demo. */
export function inNamespace(script: string): readonly string[] {
  return ["unshare", "-rm", "--propagation", "private", "sh", "-c", `${script}\nexec "$@"`, "sh"];
}

/** A demo as a process of its own, with folders of its own, that is listened to and cut off. */
export class RunningDemo {
  /** Temporary files of the demo. */
  readonly folder = mkdtempSync(join(tmpdir(), "berth-demo-test-"));
  readonly #mark = randomUUID();
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown[]>;
  #output = "";

  constructor(
    environment: NodeJS.ProcessEnv = {},
    prefix: readonly string[] = [],
    words: readonly string[] = [],
  ) {
    // Else every demo would compile the whole project anew.
    symlinkSync(join(tmpdir(), compiled), join(this.folder, compiled));
    const [command = "", ...rest] = [...prefix, process.execPath, ...demo, ...words];
    this.#child = spawn(command, rest, {
      cwd: repository,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        TMPDIR: this.folder,
        BERTH_DEMO_TEST: this.#mark,
        ...environment,
      },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (text: Buffer) => (this.#output += text.toString()));
    this.#ended = once(this.#child, "close");
  }

  /** All that it said, on both streams. */
  get output(): string {
    return this.#output;
  }

  /** Waits until it says so. */
  async says(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#output)) {
      if (this.#child.exitCode !== null) throw new Error(`it ended:\n${this.#output}`);
      await pause(20);
    }
  }

  /** What a terminal does on Ctrl-C: every process of the group is told. */
  signal(name: NodeJS.Signals): void {
    process.kill(-(this.#child.pid ?? 0), name);
  }

  /** The exit code once it has ended; null after a signal. */
  async code(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Command lines of the processes that it started, at any depth, and that still run. */
  survivors(): readonly string[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const marked = readFileSync(`/proc/${pid}/environ`, "latin1").includes(this.#mark);
          return marked
            ? [readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")]
            : [];
        } catch {
          return [];
        }
      });
  }

  /** What lies in the folder for temporary files, less what Node and tsx keep for the next run. */
  files(): readonly string[] {
    return readdirSync(this.folder).filter((name) => !/^(node-compile-cache|tsx-\d+)$/.test(name));
  }

  /** Ends what still runs, and removes the folder. */
  remove(): void {
    try {
      this.signal("SIGKILL");
    } catch {
      // The group is gone.
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Stack files that a demo left in the project. */
function demoStackFiles(): readonly string[] {
  return readdirSync(join(repository, "stacks")).filter((name) => name.includes("local-demo-"));
}

/** Whether a test may mount a small disk in a namespace of its own. */
export function mayMount(): boolean {
  try {
    execFileSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Waits for the last of its processes, then asserts that no process, file or stack of it is there. */
export async function leavesNothing(demo: RunningDemo): Promise<void> {
  const until = Date.now() + 60_000;
  while (demo.survivors().length > 0 && Date.now() < until) await pause(100);
  assert.deepEqual(demo.survivors(), []);
  assert.deepEqual(demo.files(), []);
  assert.deepEqual(demoStackFiles(), []);
}
