import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { S3Client } from "@aws-sdk/client-s3";
import { newEd25519Key } from "../../components/ed25519-key.ts";
import { startCloud, type Cloud, type ServingImage } from "../../offline/cloud/cloud.ts";
import { announceCloud } from "../../scripts/adapters/local-cloud.ts";
import { fillBucket } from "../../scripts/demo/demo-bucket.ts";
import { writeDemoModel } from "../../scripts/demo/model/write-model.ts";
import { demoServingImages } from "../../scripts/demo/serving-images.ts";
import { settingsFor } from "../offline/cloud/account.ts";
import { copyCheckout, type Checkout } from "../support/checkout.ts";

/** How a command ended. */
export interface Ended {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  /** What it said on both. */
  readonly text: string;
}

/** A command that runs. */
export interface Running {
  readonly ended: Promise<Ended>;
  /** Resolves when it has said something. @throws Error with all that it said when it ended before */
  readonly said: (what: RegExp) => Promise<void>;
  /** Ends it and all that it started, at once. */
  readonly kill: () => void;
}

/** An emulated account with weights in it, and a checkout whose `local-...` stacks are in it. */
export class CheckoutAccount {
  readonly cloud: Cloud;
  readonly root: string;
  /** The model's files are in `model`. */
  readonly folder: string;
  readonly #checkout: Checkout;
  readonly #announced: Parameters<typeof announceCloud>[0];
  readonly #key = newEd25519Key();

  private constructor(
    cloud: Cloud,
    checkout: Checkout,
    folder: string,
    announced: Parameters<typeof announceCloud>[0],
  ) {
    this.#announced = announced;
    this.cloud = cloud;
    this.#checkout = checkout;
    this.root = checkout.root;
    this.folder = folder;
  }

  /**
   * @param images that stand for those of SageMaker besides the demo's, from the folder of the account
   * @param tier of the machines
   */
  static async open(
    images: (folder: string) => Promise<readonly ServingImage[]> = () => Promise.resolve([]),
    tier: "process" | "nspawn" = "process",
  ): Promise<CheckoutAccount> {
    const checkout = await copyCheckout();
    const folder = await mkdtemp(join(tmpdir(), "berth-account-"));
    const servingImages = [...demoServingImages, ...(await images(folder))];
    const cloud = await startCloud({ tier, servingImages });
    const client = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    const model = join(folder, "model");
    await mkdir(model);
    const names = await writeDemoModel(model);
    const place = { bucket: "walk-weights", prefix: "demo-llama-60m/" };
    await fillBucket({ client, ...place }, model, names);
    const { endpoint, environment, machineSshPort } = cloud;
    const announced = {
      ...{ endpoint, environment, tier, machineSshPort, pid: process.pid },
      ...{ weightsBucket: place.bucket, weightsPrefix: place.prefix },
    };
    const account = new CheckoutAccount(cloud, checkout, folder, announced);
    await account.signIn({});
    return account;
  }

  /** Has the commands that follow call the account with these in their environment. */
  async signIn(environment: Readonly<Record<string, string>>): Promise<void> {
    const known = this.#announced;
    const announced = { ...known, environment: { ...known.environment, ...environment } };
    await announceCloud(announced, join(this.root, ".berth", "cloud.json"));
  }

  async close(): Promise<void> {
    await this.cloud.stop();
    await this.#checkout.remove();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Where the states of the stacks are. */
  get backend(): string {
    return join(this.folder, "state");
  }

  start(...words: readonly string[]): Running {
    return this.#spawn(process.execPath, ["--import", "tsx", "scripts/cli.ts", ...words]);
  }

  /** Runs a step of a workflow as GitHub does. */
  step(script: string): Promise<Ended> {
    return this.#spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).ended;
  }

  #spawn(program: string, words: readonly string[]): Running {
    const child = spawn(program, words, {
      cwd: this.root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        BERTH_SSH_PRIVATE_KEY: this.#key.privateKey,
        BERTH_STATE_HOME: join(this.folder, "berth"),
        PULUMI_HOME: join(this.folder, "pulumi"),
        PULUMI_BACKEND_URL: `file://${this.backend}`,
        PULUMI_CONFIG_PASSPHRASE: "walk",
      },
    });
    let stdout = "";
    let text = "";
    child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString()));
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (piece: Buffer) => (text += piece.toString()));
    const ended = new Promise<Ended>((resolve) => {
      child.on("close", (code) => {
        resolve({ code, stdout, text });
      });
    });
    const kill = (): void => {
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    };
    const said = async (what: RegExp): Promise<void> => {
      while (!what.test(text)) {
        if (child.exitCode !== null) throw new Error(`it never said ${String(what)}:\n${text}`);
        await sleep(20);
      }
    };
    return { ended, said, kill };
  }

  /** Runs a command to its end. */
  berth(...words: readonly string[]): Promise<Ended> {
    return this.start(...words).ended;
  }

  /** Writes a stack's file. @throws Error with what `init` said when it refuses */
  async init(stack: string, ...settings: readonly string[]): Promise<void> {
    await mkdir(this.backend, { recursive: true });
    const file = join(this.folder, `${stack}.pub`);
    await writeFile(file, `${this.#key.publicKey}\n`);
    const flags = ["--ssh-public-key", file, "--ssh-cidr", "127.0.0.1/32"];
    const owner = ["--owner", "alice@example.org"];
    const set = settings.length === 0 ? [] : ["--set", ...settings];
    const { code, text } = await this.berth("init", "--env", stack, ...flags, ...owner, ...set);
    if (code !== 0) throw new Error(text);
  }
}
