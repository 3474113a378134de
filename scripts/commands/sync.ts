import { hostDataFolder, weightsFolderOf } from "../../components/host-folders.ts";
import { UserError } from "../../components/user-error.ts";
import { checkWeights } from "../../provider/check-weights.ts";
import { hostOf, onHost } from "../../provider/connection.ts";
import type { Operation } from "../../provider/plugin/resource-type.ts";
import { syncWeights } from "../../provider/sync-weights.ts";
import type { SyncInputs } from "../../provider/weights-plan.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { findDeployment, planDeployment, type StackOptions } from "../deployment.ts";
import { exitCode } from "../exit-code.ts";
import { sshTarget } from "../ssh-target.ts";
import { readOutputs, type BerthOutputs } from "../stack-outputs.ts";

/** Flags of `berth sync`. */
export interface SyncOptions extends StackOptions {
  /** Read every byte on the host and compare it with the manifest, instead of fetching. */
  readonly verify?: boolean;
}

/** What to bring where, by the stack's outputs and settings. */
function syncInputs(outputs: BerthOutputs, options: StackOptions): SyncInputs {
  const { settings } = planDeployment(options, true);
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/(.*)$/.exec(outputs.weightsUri ?? "") ?? [];
  const { plan } = outputs;
  const hasHost = plan !== undefined && bucket !== undefined && prefix !== undefined;
  if (settings.target !== "ec2" || !hasHost) {
    throw new UserError(`"${options.env}" has no host that weights belong on.`, {
      hint: `Make one with: npm run berth -- up --env ${options.env}`,
    });
  }
  return {
    bucket,
    prefix,
    region: settings.region,
    folder: weightsFolderOf(plan.modelId),
    dataFolder: hostDataFolder,
    include: settings.weightsInclude,
    exclude: settings.weightsExclude,
    bucketRegion: settings.weightsRegion,
    requesterPays: settings.weightsRequesterPays,
  };
}

/** `berth sync`: the weights of a running host, brought up to date or verified, without an `up`. */
export async function runSync(options: SyncOptions, terminal: Terminal): Promise<number> {
  const { cloud } = planDeployment(options, true);
  const opened = await findDeployment(options, cloud);
  const outputs = opened === undefined ? {} : readOutputs(await opened.stack.outputs());
  const inputs = syncInputs(outputs, options);
  const { address, ...login } = sshTarget(outputs);
  // The AWS SDK and SSH look into the environment.
  Object.assign(process.env, cloud?.environment ?? {});
  const host = hostOf({ host: address, ...login }, { connectMs: 30_000 });
  if (options.verify === true) {
    const found = await onHost(host, () => checkWeights(host, inputs, [], true));
    const lines = found.damaged.map((key) => `damaged    ${key}`);
    terminal.say(...(lines.length === 0 ? ["verified   every file is what S3 had"] : lines));
    terminal.result({ damaged: found.damaged, manifestSha256: found.manifestSha256 });
    if (found.manifestSha256 !== "" && lines.length === 0) return exitCode.ok;
    throw new UserError("the weights on the host are not whole", {
      hint: `Repair them with: npm run berth -- sync --env ${options.env}`,
    });
  }
  const operation: Operation = {
    urn: "",
    timeoutSeconds: 0,
    signal: new AbortController().signal,
    log: (message) => {
      terminal.say(message);
    },
  };
  const synced = await onHost(host, () => syncWeights(host, inputs, operation));
  terminal.result(synced);
  return exitCode.ok;
}
