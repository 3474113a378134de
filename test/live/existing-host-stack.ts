import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repository, stackFilePath } from "../../scripts/adapters/repository.ts";
import { writeDemoModel } from "../../scripts/demo/model/write-model.ts";

/** How a command ended. */
export interface Ended {
  /** -1 when a signal ended it. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a machine that is there already is known by. */
export interface MachineKeys {
  /** OpenSSH private key that logs in. */
  readonly clientKey: string;
  /** The machine's own public key. */
  readonly hostKey: string;
}

/** The stack of a machine that is there already, with the command line alone: no account, no Pulumi CLI. */
export class ExistingHostStack {
  readonly name: string;
  /** Holds the state, the files `key` and `machine.pub`, and the weights in `model`. */
  readonly folder: string;

  private constructor(name: string, folder: string) {
    this.name = name;
    this.folder = folder;
  }

  static async make(name: string, { clientKey, hostKey }: MachineKeys): Promise<ExistingHostStack> {
    const folder = await mkdtemp(join(tmpdir(), "berth-existing-"));
    await writeDemoModel(join(folder, "model"));
    await writeFile(join(folder, "key"), clientKey, { mode: 0o600 });
    await writeFile(join(folder, "machine.pub"), `${hostKey} root@machine\n`);
    return new ExistingHostStack(`${name}-${process.pid}`, folder);
  }

  get file(): string {
    return stackFilePath(this.name);
  }

  berth(...words: readonly string[]): Promise<Ended> {
    const env = {
      ...process.env,
      // Nothing of an account may be asked: whatever tried would fail here.
      AWS_ENDPOINT_URL: undefined,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_EC2_METADATA_DISABLED: "true",
      HOME: this.folder,
      XDG_CACHE_HOME: join(process.env["HOME"] ?? "/root", ".cache"),
      PULUMI_BACKEND_URL: `file://${this.folder}`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      BERTH_SSH_KEY_FILE: join(this.folder, "key"),
      BERTH_SSH_PRIVATE_KEY: undefined,
    };
    const [command = "", ...rest] = words;
    const engine = command === "init" ? [] : ["--engine", "offline"];
    const args = [command, "--env", this.name, ...engine, ...rest];
    return new Promise((resolve) => {
      execFile(join(repository, "scripts/bin/berth"), args, { env }, (error, out, err) => {
        resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, out, err });
      });
    });
  }

  /** Removes its folder and its stack file. */
  async stop(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await rm(this.file, { force: true });
  }
}
