import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { bakeKey } from "../components/gpu-host/baked-image.ts";
import { baseImageParameter } from "../components/gpu-host/base-image.ts";
import type { GpuHostArgs } from "../components/gpu-host/gpu-host.ts";
import type { LaunchedRung } from "../components/gpu-host/host-launch.ts";
import type { LaunchRefusal } from "../components/gpu-host/launch-refusal.ts";
import type { IdleStop } from "../components/gpu-host/user-data.ts";
import { SeededHostKey } from "../components/gpu-host/seeded-host-key.ts";
import { identityTags, partName, runTag } from "../components/identity.ts";
import { storedAdapters } from "../components/model-server/adapters.ts";
import type { TagInputs } from "../components/named-tags.ts";
import { Network } from "../components/network/network.ts";
import type { Plan } from "../components/plan.ts";
import { otherRegions } from "../components/teardown/sweep-regions.ts";
import { TeardownSchedule } from "../components/teardown/teardown-schedule.ts";
import { WeightsBucket } from "../components/weights/weights-bucket.ts";
import { armBudget } from "./armed-budget.ts";
import { checkBudget } from "./budget.ts";
import { checkpointsPlace } from "./checkpoints.ts";
import { hasEnd, makeLease, type DeploymentLease } from "./deployment-lease.ts";
import { inAccountOf } from "./in-account.ts";
import { launchHosts, type Launch } from "./launch-hosts.ts";
import { checkLicence } from "./licence.ts";
import { readyHost, type ReadyHost } from "./ready-host.ts";
import { serverToken } from "./serving.ts";
import type { HostSettings as Settings } from "./settings.ts";

/** A host that serves, as a stack tells of it. */
export interface ServingHost extends ReadyHost {
  /** From 0. */
  readonly index: number;
  readonly instanceId: pulumi.Output<string>;
  readonly address: pulumi.Output<string>;
  /** By which the other hosts of the stack reach it; undefined where it is the only one. */
  readonly privateAddress: pulumi.Output<string> | undefined;
}

/** What a GPU host deployment turned out to be. */
export interface GpuHostDeployment {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly lease: DeploymentLease;
  /** One, unless the settings ask for several. */
  readonly hosts: readonly [ServingHost, ...ServingHost[]];
  /** Who may log in. */
  readonly user: string;
  /** The rung that EC2 gave all of them. */
  readonly launched: pulumi.Output<LaunchedRung>;
  /** What EC2 refused on the way to it. */
  readonly refusals: pulumi.Output<readonly LaunchRefusal[]>;
  /** What callers of the servers have to know, the same for all; a secret. */
  readonly token: pulumi.Output<string>;
  readonly weightsUri: pulumi.Output<string>;
  /** Where trainings keep their checkpoints, where they do. */
  readonly checkpointsUri: pulumi.Output<string> | undefined;
}

/** What most parts are made with: the deployment's names, tags and providers. */
interface Scope extends Launch {
  readonly plan: Plan;
  readonly tags: TagInputs;
}

/**
 * A model on an EC2 GPU host: network, bucket and teardown first, then the host, then what runs on it.
 *
 * @throws UserError when the plan's model is gated and its licence is not accepted
 */
export function deployGpuHost(settings: Settings, plan: Plan): GpuHostDeployment {
  checkLicence(settings, plan, pulumi.runtime.isDryRun());
  checkBudget(settings, plan);
  const kept = checkpointsPlace(settings, plan.modelId);
  const candidate = { now: new Date(), runId: randomBytes(6).toString("hex") };
  const lease = makeLease(partName(settings.stack, "lease"), settings, candidate);
  const scope = scopeOf(settings, plan, lease);
  const { name } = scope;
  const weights = weightsLocation(scope);
  const armed = [...teardown(scope, lease), ...armBudget(settings, scope)];
  const checkpoints = kept && { bucket: kept.bucket ?? weights.bucket, prefix: kept.prefix };
  const seededKey = new SeededHostKey(name("host-key"));
  const args = hostArgs(scope, { lease, weights, checkpoints, armed, hostKey: seededKey });
  const made = launchHosts(scope, args);
  const token = serverToken(name("api-token"), settings.apiToken);
  const { expiresAt } = lease;
  const ground = { settings, plan, seededKey: seededKey.publicKey, expiresAt, weights, token };
  const serving = made.hosts.map((host): ServingHost => {
    const { names, index } = host;
    const serverPort = settings.serverPort + index * settings.serverPortStep;
    const { launched, user } = made;
    return {
      ...host,
      ...readyHost({ ...ground, names, serverPort, host: { ...host, launched, user } }),
    };
  });
  const [first, ...others] = serving;
  if (first === undefined) throw new Error("a stack without a host");
  const { launched, refusals, user } = made;
  return {
    settings,
    plan,
    lease,
    hosts: [first, ...others],
    user,
    launched,
    refusals,
    token,
    weightsUri: uriOf(weights),
    checkpointsUri: checkpoints && uriOf(checkpoints),
  };
}

function scopeOf(settings: Settings, plan: Plan, lease: DeploymentLease): Scope {
  const { stack, env, owner, protect } = settings;
  const name = (role: string) => partName(stack, role);
  const identity = identityTags({
    stack,
    env,
    owner,
    protect,
    model: plan.modelId,
    // Of one instance, since each carries it.
    hourlyUsd: plan.hourlyUsd / settings.hosts,
    own: settings.tags,
  });
  const tags = { ...identity, [runTag]: lease.runId };
  return { settings, plan, tags, name, inAccount: inAccountOf(settings, tags) };
}

interface WeightsPlace {
  readonly bucket: pulumi.Input<string>;
  readonly prefix: string;
}

function uriOf({ bucket, prefix }: WeightsPlace): pulumi.Output<string> {
  return pulumi.interpolate`s3://${bucket}/${prefix}`;
}

/** The bucket that was given, or an own one, which goes with the stack unless that is protected. */
function weightsLocation({ settings, plan, tags, name, inAccount }: Scope): WeightsPlace {
  const prefix = settings.weightsPrefix ?? `${plan.modelId}/`;
  if (settings.weightsBucket !== undefined) return { bucket: settings.weightsBucket, prefix };
  const { protect } = settings;
  const args = { disposable: !protect, tags };
  const own = new WeightsBucket(name("weights-store"), args, { ...inAccount, protect });
  return { bucket: own.bucketName, prefix };
}

/** The schedule that ends the deployment; nothing when it has no end. */
function teardown(scope: Scope, { expiresAt, runId }: DeploymentLease): TeardownSchedule[] {
  const { settings, tags, name, inAccount } = scope;
  if (!hasEnd(settings)) return [];
  const { stack, owner } = settings;
  const sweepRegions = otherRegions(settings.sweepRegions ?? [], settings.region);
  const ended = { stack, owner, runId, expiresAt, tags, sweepRegions };
  return [new TeardownSchedule(name("teardown"), ended, inAccount)];
}

interface HostParts {
  readonly lease: GpuHostDeployment["lease"];
  readonly weights: WeightsPlace;
  readonly checkpoints: WeightsPlace | undefined;
  readonly armed: readonly pulumi.Resource[];
  readonly hostKey: SeededHostKey;
}

/** What each host is made of, its network included. */
function hostArgs(scope: Scope, { lease, armed, hostKey, ...places }: HostParts): GpuHostArgs {
  const { settings, plan, tags } = scope;
  const { sshPublicKey, imageId } = settings;
  const network = hostNetwork(scope);
  return {
    ladder: plan.ladder,
    rootVolumeGiB: plan.rootVolumeGiB,
    subnetIds: network.subnetIds,
    securityGroupId: network.securityGroupId,
    sshPublicKey,
    hostKey,
    ...places,
    adapters: adapterPlaces(settings, places),
    expiresAt: lease.expiresAt,
    // Armed first: from the moment that something costs, something ends it.
    after: [network, ...armed],
    tags,
    launchTags: { "berth:started-at": lease.startedAt, "berth:expires-at": lease.expiresAt },
    imageId,
    bakeKey: bakeKey(plan, baseImageParameter),
    idle: idleStop(settings),
    sessionManager: settings.sshThrough === "ssm",
  };
}

/** The bucket of the weights, and what of it the adapters are. */
function adapterPlaces({ adapters }: Settings, { weights }: Pick<HostParts, "weights">) {
  const prefixes = storedAdapters(adapters).map(({ prefix }) => prefix);
  return prefixes.length === 0 ? undefined : { bucket: weights.bucket, prefixes };
}

function hostNetwork({ settings, plan, tags, name, inAccount }: Scope): Network {
  const { region, sshCidr, sshPort, vpcId, subnetIds } = settings;
  const instanceTypes = [...new Set(plan.ladder.map(({ instanceType }) => instanceType))];
  return new Network(
    name("network"),
    {
      region,
      instanceTypes,
      zones: plan.ladder[0].zones,
      sshCidr,
      sshPort,
      serve: serveRule(settings),
      members: settings.hosts > 1,
      vpcId,
      subnetIds,
      tags,
    },
    inAccount,
  );
}

function serveRule({ serveCidr: cidr, serverPort: port }: Settings) {
  return cidr === undefined ? undefined : { cidr, port };
}

function idleStop({ idleMinutes, serverPort, sshPort }: Settings): IdleStop | undefined {
  return idleMinutes === undefined ? undefined : { idleMinutes, serverPort, sshPort };
}
