import { hostDataFolder, weightsFolderOf } from "../../components/host-folders.ts";
import { UserError } from "../../components/user-error.ts";
import { checkWeights } from "../../provider/check-weights.ts";
import type { Host } from "../../provider/adapters/ssh.ts";
import { hostOf, onHost } from "../../provider/connection.ts";
import type { Operation } from "../../provider/plugin/resource-type.ts";
import { syncWeights } from "../../provider/sync-weights.ts";
import type { SyncInputs } from "../../provider/weights-plan.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { findDeployment, planDeployment, type StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import { sshTarget } from "../stack/ssh-target.ts";
import { hostName, hostsOf } from "../stack/stack-hosts.ts";
import { readOutputs, type BerthOutputs } from "../stack/stack-outputs.ts";

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
  // The AWS SDK and SSH look into the environment.
  Object.assign(process.env, cloud?.environment ?? {});
  const hosts = hostsOf(outputs).map((each): SyncedHost => {
    const { address, ...login } = sshTarget(each);
    const host = hostOf({ host: address, ...login }, { connectMs: 30_000 });
    const prefix = outputs.hosts === undefined ? "" : `${hostName(outputs, each.index)}: `;
    const say = (line: string): void => {
      terminal.say(prefix + line);
    };
    return { host, say };
  });
  const work = (each: SyncedHost): Promise<object> =>
    options.verify === true ? verify(each, inputs, options.env) : fetchMissing(each, inputs);
  const results = await Promise.all(hosts.map((each) => onHost(each.host, () => work(each))));
  terminal.result(outputs.hosts === undefined ? results[0] : { hosts: results });
  return exitCode.ok;
}

interface SyncedHost {
  readonly host: Host;
  readonly say: (line: string) => void;
}

/** @throws UserError when a file of the host is not what S3 had */
async function verify({ host, say }: SyncedHost, inputs: SyncInputs, env: string) {
  const { damaged, manifestSha256 } = await checkWeights(host, inputs, [], true);
  for (const key of damaged) say(`damaged    ${key}`);
  if (manifestSha256 === "" || damaged.length > 0) {
    throw new UserError(`the weights on the host ${host.name} are not whole`, {
      problems: damaged,
      hint: `Repair them with: npm run berth -- sync --env ${env}`,
    });
  }
  say("verified   every file is what S3 had");
  return { damaged, manifestSha256 };
}

function fetchMissing({ host, say }: SyncedHost, inputs: SyncInputs) {
  const operation: Operation = {
    urn: "",
    timeoutSeconds: 0,
    signal: new AbortController().signal,
    log: say,
  };
  return syncWeights(host, inputs, operation);
}
