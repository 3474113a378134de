import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { UserError } from "../../components/user-error.ts";
import { announceCloud, findLocalCloud, withdrawCloud } from "../adapters/local-cloud.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { fillBucket } from "../demo/demo-bucket.ts";
import { demoBytes } from "../demo/demo-cloud.ts";
import { writeDemoModel } from "../demo/model/write-model.ts";
import { demoServingImages } from "../demo/serving-images.ts";
import { exitCode } from "../cli/exit-code.ts";

/** Flags of `berth cloud`. */
export interface CloudCommandOptions {
  readonly tier: "auto" | "nspawn" | "process" | "none";
}

const weightsBucket = "berth-demo-weights";
const weightsPrefix = "demo-llama-60m/";

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => {
        resolve();
      });
    }
  });
}

/** Puts the demo's weights where `--env local` looks for them. */
async function stock(cloud: Cloud): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "berth-weights-"));
  const client = new S3Client({
    endpoint: cloud.endpoint,
    forcePathStyle: true,
    region: cloud.environment["AWS_REGION"] ?? "us-east-1",
    credentials: {
      accessKeyId: cloud.environment["AWS_ACCESS_KEY_ID"] ?? "local",
      secretAccessKey: cloud.environment["AWS_SECRET_ACCESS_KEY"] ?? "local",
    },
  });
  try {
    const names = await writeDemoModel(folder);
    await fillBucket({ client, bucket: weightsBucket, prefix: weightsPrefix }, folder, names);
  } finally {
    client.destroy();
    await rm(folder, { recursive: true, force: true });
  }
}

function localEnvironmentLines(cloud: Cloud): readonly string[] {
  return [
    `cloud      ${cloud.endpoint}; machines: ${cloud.tier}, SSH on port ${cloud.machineSshPort}`,
    `weights    s3://${weightsBucket}/${weightsPrefix} (the demo's own, random)`,
    "next       in another terminal: npm run berth -- init --env local, then up --env local",
    "           Ctrl-C here ends it, with all that runs in it",
  ];
}

/** `berth cloud`: the emulated AWS in the foreground, which `--env local` deploys to, until Ctrl-C. */
export async function runCloud(options: CloudCommandOptions, terminal: Terminal): Promise<number> {
  const running = findLocalCloud();
  if (running !== undefined) {
    throw new UserError(`An emulated cloud runs already, at ${running.endpoint}.`, {
      hint: `Use it with --env local, or end process ${running.pid}.`,
    });
  }
  const stopped = interrupted();
  const cloud = await startCloud({
    tier: options.tier,
    stateBytes: demoBytes,
    servingImages: demoServingImages,
    log: (line) => {
      terminal.say(`  ${line}`);
    },
  });
  try {
    await stock(cloud);
    const { endpoint, environment, tier, machineSshPort } = cloud;
    const place = { weightsBucket, weightsPrefix, pid: process.pid };
    await announceCloud({ endpoint, environment, tier, machineSshPort, ...place });
    terminal.say(...localEnvironmentLines(cloud));
    terminal.result({ endpoint, environment, tier, machineSshPort, weightsBucket, weightsPrefix });
    await stopped;
  } finally {
    await withdrawCloud();
    await cloud.stop();
  }
  return exitCode.ok;
}
