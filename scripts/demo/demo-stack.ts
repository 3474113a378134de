import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { randomBytes } from "node:crypto";
import type { Stack } from "@pulumi/pulumi/automation/index.js";
import { freePort } from "../../offline/cloud/free-port.ts";
import { isAlive } from "../../processes/process-alive.ts";
import { newEd25519Key } from "../../components/ed25519-key.ts";
import { findEngine, type EngineChoice } from "../adapters/engine.ts";
import { makeStack } from "../adapters/open-stack.ts";
import { stackFilePath } from "../adapters/repository.ts";
import type { Cleanup } from "./cleanup.ts";
import type { DemoCloud } from "./demo-cloud.ts";
import { demoArchitecture } from "./model/architecture.ts";

/** Settings of the demo's stack. */
export interface DemoSettings {
  readonly region: string;
  readonly leaseHours: number;
  readonly target: "ec2" | "sagemaker";
}

/** The demo's stack, opened, and what runs it. */
export interface DemoStack {
  readonly stack: Stack;
  readonly name: string;
  readonly engine: string;
}

/**
 * Puts into the environment what the engine and its plugins take from there: a fresh key pair and passphrase, in memory
 * alone, and folders for state and host keys that go with the demo's cloud.
 *
 * @returns the public key
 */
async function prepareEnvironment(cloudFolder: string): Promise<string> {
  const folder = join(cloudFolder, "demo");
  await mkdir(folder);
  const key = newEd25519Key();
  Object.assign(process.env, {
    BERTH_SSH_PRIVATE_KEY: key.privateKey,
    BERTH_STATE_HOME: join(folder, "berth"),
    PULUMI_HOME: join(folder, "pulumi"),
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: randomBytes(16).toString("hex"),
  });
  return key.publicKey;
}

/** Removes the stack files of demos that were killed: Pulumi wants them beside the others, so no cloud's folder takes them along. */
export async function sweepStackFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid] = /^Pulumi\.local-demo-(\d+)\.yaml$/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

/** Opens a stack of its own for this run, with its settings. */
export async function openDemoStack(
  { cloud, bucket }: DemoCloud,
  settings: DemoSettings,
  choice: EngineChoice,
  cleanup: Cleanup,
): Promise<DemoStack> {
  const publicKey = await prepareEnvironment(cloud.folder);
  const name = `local-demo-${process.pid}`;
  await sweepStackFiles(dirname(stackFilePath(name)));
  const engine = await findEngine(choice);
  const { endpoint, environment, tier, machineSshPort } = cloud;
  const place = { weightsBucket: bucket.bucket, weightsPrefix: bucket.prefix, pid: process.pid };
  const local = { endpoint, environment, tier, machineSshPort, ...place };
  const stack = await makeStack({ stack: name, engine, cloud: local });
  cleanup.add("the demo's stack file", () => stack.workspace.removeStack(name, { force: true }));
  const values = {
    "aws:region": settings.region,
    "berth:env": "local",
    "berth:target": settings.target,
    "berth:model": demoArchitecture.id,
    "berth:owner": "demo",
    "berth:spot": "true",
    "berth:leaseHours": String(settings.leaseHours),
    "berth:sshCidr": "127.0.0.1/32",
    "berth:sshPublicKey": publicKey,
    "berth:sshPort": String(machineSshPort),
    // Machines that are folders share this host's ports.
    "berth:serverPort": String(tier === "process" ? await freePort() : 8000),
    "berth:weightsBucket": bucket.bucket,
    "berth:weightsPrefix": bucket.prefix,
  };
  const config = Object.entries(values).map(([key, value]) => [key, { value }] as const);
  await stack.setAllConfig(Object.fromEntries(config));
  return { stack, name, engine: `${engine.name} ${engine.version}` };
}
