import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { OfflineError } from "../../offline-error.ts";
import { isAlive } from "../../../processes/process-alive.ts";
import type { Snapshot, SnapshotStore } from "../contract.ts";
import {
  fromDeployment,
  toDeployment,
  type CheckpointFile,
  type Deployment,
} from "./checkpoint.ts";
import { writeDurably } from "./durable-file.ts";
import { UpdateHistory } from "./history.ts";
import type { PassphraseSecrets } from "./passphrase.ts";

interface LockHolder {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/** Who holds a lock; undefined when it was given back meanwhile. */
function holderOf(path: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as LockHolder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Pulumi's file backend in a folder: stack files, locks, and which stack is selected. */
export class FileBackend {
  readonly root: string;

  /** @throws OfflineError when the URL is not a folder's */
  constructor(url: string | undefined) {
    const given = url ?? "file://~";
    if (!given.startsWith("file://")) {
      throw new OfflineError(
        `The backend ${given} is not supported: this runner keeps state in folders (file://).`,
        "Use the Pulumi CLI for other backends.",
      );
    }
    const path = given.slice("file://".length);
    const folder =
      path === "~" ? homedir() : path.startsWith("/") ? fileURLToPath(given) : resolve(path);
    this.root = join(folder, ".pulumi");
  }

  /** The file of a stack's state. */
  stateFile(project: string, stack: string): string {
    return join(this.root, "stacks", project, `${stack}.json`);
  }

  exists(project: string, stack: string): boolean {
    return existsSync(this.stateFile(project, stack));
  }

  stacks(project: string): readonly string[] {
    const folder = join(this.root, "stacks", project);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length));
  }

  read(project: string, stack: string): Deployment | undefined {
    const path = this.stateFile(project, stack);
    if (!existsSync(path))
      throw new OfflineError(
        `no stack named '${stack}' found`,
        "`pulumi stack ls` lists those there are; `pulumi stack init` makes one.",
      );
    let file: CheckpointFile;
    try {
      file = JSON.parse(readFileSync(path, "utf8")) as CheckpointFile;
    } catch (error) {
      throw new OfflineError(
        `${path} is not a state file: ${(error as Error).message}`,
        `Its last good copy is ${path}.bak.`,
      );
    }
    return file.checkpoint.latest;
  }

  write(project: string, stack: string, latest: Deployment | undefined): void {
    const checkpoint = { stack: `organization/${project}/${stack}`, ...(latest && { latest }) };
    const path = this.stateFile(project, stack);
    if (!existsSync(join(this.root, "meta.yaml")))
      writeDurably(join(this.root, "meta.yaml"), "version: 1\n");
    writeDurably(
      path,
      `${JSON.stringify({ version: 3, checkpoint } satisfies CheckpointFile, null, 4)}\n`,
    );
  }

  /** Keeps the state as it was before an update. */
  backUp(project: string, stack: string): void {
    const path = this.stateFile(project, stack);
    if (existsSync(path)) writeDurably(`${path}.bak`, readFileSync(path, "utf8"));
  }

  remove(project: string, stack: string): void {
    const path = this.stateFile(project, stack);
    for (const file of [path, `${path}.bak`]) rmSync(file, { force: true });
    this.history(project, stack).remove();
  }

  /** The updates that a stack has seen. */
  history(project: string, stack: string): UpdateHistory {
    return new UpdateHistory(this.root, project, stack);
  }

  #lockFolder(project: string, stack: string): string {
    return join(this.root, "locks", "organization", project, stack);
  }

  /** Takes the stack's lock. @returns what gives it back @throws OfflineError naming the holder */
  lock(project: string, stack: string): () => void {
    const folder = this.#lockFolder(project, stack);
    mkdirSync(folder, { recursive: true });
    const own = join(folder, `${randomUUID()}.json`);
    const holder: LockHolder = {
      pid: process.pid,
      username: userInfo().username,
      hostname: hostname(),
      timestamp: new Date().toISOString(),
    };
    writeDurably(own, JSON.stringify(holder));
    const others = readdirSync(folder).filter(
      (name) => name.endsWith(".json") && !own.endsWith(name),
    );
    for (const name of others) {
      const path = join(folder, name);
      const other = holderOf(path);
      if (other === undefined) continue;
      // A process of this host that is gone was killed: its update's pending operations tell the rest.
      if (other.hostname === hostname() && !isAlive(other.pid)) {
        rmSync(path, { force: true });
        continue;
      }
      rmSync(own, { force: true });
      throw new OfflineError(
        `the stack is currently locked by 1 lock(s): ${other.username}@${other.hostname} (pid ${other.pid}) at ${other.timestamp}`,
        "Wait for that update to end, or run `pulumi cancel` when it is certain that it has.",
      );
    }
    return () => {
      rmSync(own, { force: true });
    };
  }

  /** Removes every lock of a stack. @returns how many there were */
  unlock(project: string, stack: string): number {
    const folder = this.#lockFolder(project, stack);
    const locks = existsSync(folder) ? readdirSync(folder) : [];
    for (const name of locks) rmSync(join(folder, name), { force: true });
    return locks.length;
  }
}

/** A stack's snapshots in its file, each one saved before the next step begins. */
export class FileStore implements SnapshotStore {
  readonly #save: (snapshot: Snapshot) => void;
  readonly #first: Snapshot;

  constructor(
    backend: FileBackend,
    place: { project: string; stack: string },
    secrets: PassphraseSecrets,
  ) {
    const { project, stack } = place;
    this.#first = fromDeployment(backend.read(project, stack), () => secrets);
    this.#save = (snapshot) => {
      backend.write(project, stack, toDeployment(snapshot, secrets, "encrypted"));
    };
  }

  load(): Snapshot {
    return this.#first;
  }

  save(snapshot: Snapshot): Promise<void> {
    return Promise.resolve().then(() => {
      this.#save(snapshot);
    });
  }
}

/** Remembers which stack of a project is selected, where the real CLI does. */
export class Selection {
  readonly #file: string;

  constructor(project: string, root: string) {
    const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    const sum = createHash("sha1").update(join(root, "Pulumi.yaml")).digest("hex");
    this.#file = join(home, "workspaces", `${project}-${sum}-workspace.json`);
  }

  get(): string | undefined {
    if (!existsSync(this.#file)) return undefined;
    return (JSON.parse(readFileSync(this.#file, "utf8")) as { stack?: string }).stack;
  }

  set(stack: string | undefined): void {
    writeDurably(this.#file, JSON.stringify(stack === undefined ? {} : { stack }));
  }
}
