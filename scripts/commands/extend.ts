import { extendedEnd, parseHours } from "../../components/lease/extension.ts";
import { timestamp, type Lease } from "../../components/lease/lease.ts";
import { LayerError, rewriteLayers, type LeaseLayer } from "../../components/lease/lease-layers.ts";
import { expiryTag } from "../../components/identity.ts";
import { UserError } from "../../components/user-error.ts";
import { maxAgeHoursOf } from "../../stacks/parse-settings.ts";
import type { Connection } from "../../provider/connection.ts";
import { accountOf } from "../adapters/account.ts";
import { readClock } from "../adapters/clock.ts";
import { elsewhereLayer } from "../adapters/elsewhere-layer.ts";
import { groupTag } from "../adapters/endpoint/endpoint-layers.ts";
import { readHostState } from "../adapters/host-state.ts";
import {
  expiryTagLayer,
  hostLayer,
  scheduleLayer,
  settingLayer,
  stateLayer,
} from "../adapters/lease-layers.ts";
import { cloudOf } from "../adapters/local-cloud.ts";
import type { AccountScope } from "../adapters/account-scope.ts";
import { readStackConfig, regionOfStack } from "../adapters/stack-file.ts";
import { isExistingHost, isTraining } from "../adapters/stack-target.ts";
import { readStackState, type RecordedLease, type StackState } from "../adapters/stack-state.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { duration } from "../stack/cost-lines.ts";
import { findDeployment, type OpenedStack, type StackOptions } from "../stack/deployment.ts";
import { exitCode } from "../cli/exit-code.ts";
import { hostsOf } from "../stack/stack-hosts.ts";
import { readOutputs } from "../stack/stack-outputs.ts";

/** A deployment whose lease is to be changed. */
export interface LeasedStack {
  readonly env: string;
  readonly opened: OpenedStack;
  readonly state: StackState;
  readonly lease: RecordedLease;
  readonly scope: AccountScope;
  readonly now: Date;
}

/**
 * Finds a deployment and its lease, from any machine that reaches the stack.
 *
 * @throws UserError when there is none
 */
export async function openLease(options: StackOptions): Promise<LeasedStack> {
  const { env } = options;
  if (isExistingHost(env)) {
    throw new UserError(`"${env}" is on a machine that was there already, and has no lease.`, {
      hint: `It stays until: npm run berth -- down --env ${env}`,
    });
  }
  const cloud = cloudOf(env);
  const region = regionOfStack(env);
  const opened = await findDeployment(options, cloud);
  const state = opened === undefined ? undefined : await readStackState(opened.stack);
  if (opened === undefined || state?.lease === undefined) {
    throw new UserError(`"${env}" is not deployed, so it has no lease.`, {
      hint: `Deploy it with: npm run berth -- up --env ${env}`,
    });
  }
  const { lease } = state;
  const scope = { ...accountOf(env, region, cloud), runId: lease.runId };
  return { env, opened, state, lease, scope, now: await readClock(cloud) };
}

/** How to reach the hosts that could end themselves. */
export async function liveHosts({ opened, scope }: LeasedStack): Promise<readonly Connection[]> {
  const outputs = readOutputs(await opened.stack.outputs());
  const found = await Promise.all(
    hostsOf(outputs).map(async (each): Promise<readonly Connection[]> => {
      const { instanceId, address, sshPort = 22, user, hostKey, sshThrough: through } = each;
      if (instanceId === undefined || address === undefined) return [];
      if (user === undefined || hostKey === undefined) return [];
      const { state } = await readHostState(scope, instanceId);
      // Only what is known to have ended needs no new deadline.
      if (["gone", "terminated", "shutting-down"].includes(state)) return [];
      return [{ host: address, port: sshPort, user, hostKey, through }];
    }),
  );
  return found.flat();
}

/**
 * Every place that holds the deadline, in an order in which a crash between two of them leaves the earlier deadline in
 * force: what ends the host from outside first, then its own timer, then what is only read.
 */
export async function deadlineLayers(leased: LeasedStack): Promise<readonly LeaseLayer[]> {
  const { env, opened, state, scope } = leased;
  const asked = readStackConfig(env)?.["berth:expiresAt"];
  return [
    ...state.schedules.map((schedule) => scheduleLayer(scope, schedule)),
    ...(await liveHosts(leased)).map(hostLayer),
    ...tagLayers(leased),
    ...state.schedules
      .filter(({ region }) => region !== undefined)
      .map((schedule) => elsewhereLayer(scope, schedule)),
    stateLayer(opened.stack),
    settingLayer(opened.stack, "berth:expiresAt", typeof asked === "string" ? asked : undefined),
  ];
}

function tagLayers({ scope, state }: LeasedStack): readonly LeaseLayer[] {
  const { endpointArn, groupArn } = state;
  if (endpointArn === undefined) return [expiryTagLayer(scope, groupArn)];
  return groupArn === undefined ? [] : [groupTag(scope, groupArn, expiryTag)];
}

/** Turns a refusal of one layer into what a person can act on. */
export function refused(error: unknown, what: string, again: string): unknown {
  if (!(error instanceof LayerError)) return error;
  const kept = error.stuck.length === 0;
  return new UserError(
    kept
      ? `${what} was not changed: ${error.message}`
      : `${what} is changed in part: ${error.message}`,
    {
      problems: error.stuck.map((line) => `could not be put back: ${line}`),
      hint: kept
        ? `Everything holds what it held before. Put that right, then: ${again}`
        : `Until it is put right the earliest deadline counts. Then run it again: ${again}`,
      cause: error,
    },
  );
}

function leaseOf({ startedAt, expiresAt }: RecordedLease): Lease {
  return {
    startedAt: new Date(startedAt),
    expiresAt: expiresAt === "" ? undefined : new Date(expiresAt),
  };
}

/** @throws UserError for a training job: what it may take was said when it was made, and SageMaker changes it no more */
function checkMovable(env: string): void {
  if (!isTraining(env)) return;
  const [of = env, ...folder] = env.split("-train-");
  throw new UserError(
    `The end of a training job cannot be moved: SageMaker changes its MaxRuntimeInSeconds no more.`,
    {
      // https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateTrainingJob.html
      hint:
        "Stop it with a checkpoint, and start it with more hours, which go on from there: " +
        `npm run berth -- train stop <the folder of ${folder.join("-train-")}> --env ${of}, then the same with start and --hours`,
    },
  );
}

/** `berth extend`: gives a deployment more time, in every layer that would end it, or in none. */
export async function runExtend(
  more: string,
  options: StackOptions,
  terminal: Terminal,
): Promise<number> {
  const hours = parseHours(more);
  checkMovable(options.env);
  const leased = await openLease(options);
  const { env, lease, now } = leased;
  const maxAgeHours = maxAgeHoursOf(env, readStackConfig(env) ?? {});
  const end = extendedEnd(leaseOf(lease), hours, { now, maxAgeHours });
  const to = timestamp(end);
  try {
    const { written } = await rewriteLayers(await deadlineLayers(leased), to);
    const left = (end.getTime() - now.getTime()) / 3_600_000;
    terminal.say(
      `ends       ${to}, in ${duration(left)}; it was ${lease.expiresAt}`,
      ...written.map((name) => `           ${name}`),
    );
    terminal.result({ env, from: lease.expiresAt, to, written });
    return exitCode.ok;
  } catch (error) {
    throw refused(error, "The deadline", `npm run berth -- extend ${more} --env ${env}`);
  }
}
