import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ApiCall, Fault } from "../../offline/cloud/cloud.ts";
import { findLocalCloud } from "../../scripts/adapters/local-cloud.ts";
import { until } from "../offline/cloud/account.ts";
import { copyCheckout, type Checkout } from "../support/checkout.ts";

const cli = ["--import", "tsx", "scripts/cli.ts"];
const run = promisify(execFile);

interface Parts {
  readonly home: string;
  readonly cloud: ChildProcess;
  readonly endpoint: string;
  readonly checkout: Checkout;
}

/** An endpoint's stack in a checkout and an emulated cloud of its own, by the commands that a person types. */
export class LocalStack {
  readonly #name: string;
  readonly #file: string;
  readonly #home: string;
  readonly #cloud: ChildProcess;
  readonly #endpoint: string;
  readonly #checkout: Checkout;

  private constructor(name: string, { home, cloud, endpoint, checkout }: Parts) {
    this.#name = name;
    this.#checkout = checkout;
    this.#file = join(checkout.root, "stacks", `Pulumi.${name}.yaml`);
    this.#home = home;
    this.#cloud = cloud;
    this.#endpoint = endpoint;
  }

  static async start(name: string): Promise<LocalStack> {
    const checkout = await copyCheckout();
    const home = mkdtempSync(join(tmpdir(), `berth-${name}-`));
    const cloud = spawn(process.execPath, [...cli, "cloud", "--tier", "none"], {
      cwd: checkout.root,
      stdio: "ignore",
    });
    const file = join(checkout.root, ".berth", "cloud.json");
    await until(() => Promise.resolve(findLocalCloud(file) !== undefined), 300);
    return new LocalStack(name, {
      home,
      cloud,
      checkout,
      endpoint: findLocalCloud(file)!.endpoint,
    });
  }

  async stop(): Promise<void> {
    rmSync(this.#file, { force: true });
    if (this.#cloud.exitCode === null) {
      this.#cloud.kill("SIGINT");
      await once(this.#cloud, "exit");
    }
    rmSync(this.#home, { recursive: true, force: true });
    await this.#checkout.remove();
  }

  /** What a command says, on both streams, whether it succeeds or not. */
  async berth(...words: string[]): Promise<string> {
    const env = {
      ...process.env,
      HOME: this.#home,
      PULUMI_BACKEND_URL: `file://${this.#home}`,
      PULUMI_CONFIG_PASSPHRASE: "try",
    };
    const done = run(process.execPath, [...cli, ...words, "--env", this.#name], {
      cwd: this.#checkout.root,
      env,
    });
    const { stdout, stderr } = await done.catch((error: unknown) => {
      return error as { stdout: string; stderr: string };
    });
    return stdout + stderr;
  }

  /** Writes the stack's settings anew, and gives what `init` said. */
  async settings(endpointMode: string, ...pairs: readonly string[]): Promise<string> {
    rmSync(this.#file, { force: true });
    const mode = `endpointMode=${endpointMode}`;
    const set = ["target=sagemaker", mode, "leaseHours=30", ...pairs];
    const words = set.flatMap((pair) => ["--set", pair]);
    return this.berth("init", "--weights-bucket", "berth-demo-weights", ...words);
  }

  /** While the work goes on, there is no capacity of a type, or of any. */
  async lacksCapacity(instanceType: string | undefined, work: () => Promise<void>): Promise<void> {
    const url = `${this.#endpoint}/_cloud/faults`;
    const kind = "insufficient-capacity";
    const body = JSON.stringify({ kind, service: "sagemaker", instanceType });
    await fetch(url, { method: "POST", body });
    await work();
    await fetch(url, { method: "DELETE" });
  }

  /** Arms a fault of the cloud. */
  async fault(fault: Fault): Promise<void> {
    await fetch(`${this.#endpoint}/_cloud/faults`, {
      method: "POST",
      body: JSON.stringify(fault),
    });
  }

  async clearFaults(): Promise<void> {
    await fetch(`${this.#endpoint}/_cloud/faults`, { method: "DELETE" });
  }

  /** Operations that made something of SageMaker, IAM or the schedules so far. */
  async made(): Promise<readonly string[]> {
    const calls = (await (await fetch(`${this.#endpoint}/_cloud/calls`)).json()) as ApiCall[];
    return calls
      .filter(({ service }) => /^(sagemaker|iam|scheduler|stepfunctions|logs)$/.test(service))
      .map(({ operation }) => operation)
      .filter((operation) => operation.startsWith("Create"));
  }

  /** What a client of the SDK is made with to talk to its cloud. */
  get clientSettings() {
    const credentials = { accessKeyId: "testing", secretAccessKey: "testing" };
    return { endpoint: this.#endpoint, region: "us-east-1", credentials };
  }

  /** Moves the cloud's clock on. */
  async pass(seconds: number): Promise<void> {
    const body = JSON.stringify({ seconds });
    await fetch(`${this.#endpoint}/_cloud/clock`, { method: "POST", body });
  }
}
