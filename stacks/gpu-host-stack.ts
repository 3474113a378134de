import { randomBytes } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { HostBootstrap } from "../components/bootstrap/host-bootstrap.ts";
import { bakeKey } from "../components/gpu-host/baked-image.ts";
import { baseImageParameter } from "../components/gpu-host/base-image.ts";
import { GpuHost } from "../components/gpu-host/gpu-host.ts";
import type { LaunchedRung } from "../components/gpu-host/host-launch.ts";
import { HostKeyRotation } from "../components/gpu-host/host-key-rotation.ts";
import type { IdleStop } from "../components/gpu-host/user-data.ts";
import { SeededHostKey } from "../components/gpu-host/seeded-host-key.ts";
import type { HostConnection, HostThrough } from "../components/host-connection.ts";
import { identityTags, partName, runTag } from "../components/identity.ts";
import { ModelServer } from "../components/model-server/model-server.ts";
import type { TagInputs } from "../components/named-tags.ts";
import { Network } from "../components/network/network.ts";
import type { Plan } from "../components/plan.ts";
import { tagContract } from "../components/tag-contract.ts";
import { otherRegions } from "../components/teardown/sweep-regions.ts";
import { TeardownSchedule } from "../components/teardown/teardown-schedule.ts";
import { hostDataFolder, weightsFolderOf } from "../components/host-folders.ts";
import { WeightsBucket } from "../components/weights/weights-bucket.ts";
import { WeightsSync } from "../components/weights/weights-sync.ts";
import { armBudget } from "./armed-budget.ts";
import { checkBudget } from "./budget.ts";
import { checkpointsPlace } from "./checkpoints.ts";
import { hasEnd, makeLease, type DeploymentLease } from "./deployment-lease.ts";
import { checkLicence } from "./licence.ts";
import { serverAccess, serverToken } from "./serving.ts";
import { throughInstance } from "./ssh-through.ts";
import type { HostSettings as Settings } from "./settings.ts";

/** Where berth keeps its files on a host. */
const dataFolder = hostDataFolder;

/** What a GPU host deployment turned out to be. */
export interface GpuHostDeployment {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly lease: DeploymentLease;
  readonly host: GpuHost;
  /** The key that the host made itself, to pin. */
  readonly hostKey: pulumi.Output<string>;
  /** What is on the way to it, where something is. */
  readonly through: pulumi.Output<HostThrough> | undefined;
  readonly server: ModelServer;
  /** What callers of the server have to know; a secret. */
  readonly token: pulumi.Output<string>;
  readonly weightsUri: pulumi.Output<string>;
  /** Where trainings keep their checkpoints, where they do. */
  readonly checkpointsUri: pulumi.Output<string> | undefined;
}

/** What most parts are made with: the deployment's names, tags and providers. */
interface Scope {
  readonly settings: Settings;
  readonly plan: Plan;
  readonly tags: TagInputs;
  readonly name: (role: string) => string;
  readonly inAccount: pulumi.ComponentResourceOptions;
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
  const weights = weightsLocation(scope);
  const armed = [...teardown(scope, lease), ...armBudget(settings, scope)];
  const checkpoints = kept && { bucket: kept.bucket ?? weights.bucket, prefix: kept.prefix };
  const { host, hostKey } = gpuHost(scope, { lease, weights, checkpoints, armed });

  const { instanceId } = host;
  const through = throughInstance(settings, instanceId);
  const seeded = { host: host.address, port: settings.sshPort, user: host.user, hostKey, through };
  const rotation = new HostKeyRotation(scope.name("host-key-rotation"), {
    connection: seeded,
    instanceId,
  });
  const connection = { ...seeded, hostKey: rotation.hostKey };
  const bootstrap = bootstrapHost(scope, host, connection, lease.expiresAt);
  const sync = new WeightsSync(scope.name("weights"), {
    ...weights,
    connection,
    instanceId,
    region: settings.region,
    folder: weightsFolderOf(plan.modelId),
    include: settings.weightsInclude,
    exclude: settings.weightsExclude,
    bucketRegion: settings.weightsRegion,
    requesterPays: settings.weightsRequesterPays,
  });
  const token = serverToken(scope.name("api-token"), settings.apiToken);
  const server = modelServer(scope, { host, connection, bootstrap, sync, token });
  const weightsUri = uriOf(weights);
  const { hostKey: pinned } = rotation;
  const checkpointsUri = checkpoints && uriOf(checkpoints);
  const made = { host, hostKey: pinned, through, server, token };
  return { settings, plan, lease, ...made, weightsUri, checkpointsUri };
}

function scopeOf(settings: Settings, plan: Plan, lease: DeploymentLease): Scope {
  const { stack, env, owner, region, protect } = settings;
  const name = (role: string) => partName(stack, role);
  const identity = identityTags({
    stack,
    env,
    owner,
    protect,
    model: plan.modelId,
    hourlyUsd: plan.hourlyUsd,
  });
  const tags = { ...identity, [runTag]: lease.runId };
  // The region only: keys in a provider are kept in the state, and have expired by the time of a destroy.
  const account = new aws.Provider(name("aws"), {
    region: region as aws.Region,
    defaultTags: { tags },
    maxRetries: 3,
  });
  return { settings, plan, tags, name, inAccount: inAccount(account, tags) };
}

/** In the deployment's account, and under its contract of tags. */
function inAccount(account: aws.Provider, tags: TagInputs): pulumi.ComponentResourceOptions {
  return { providers: [account], transformations: [tagContract(tags)] };
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
}

function gpuHost(scope: Scope, { lease, weights, checkpoints, armed }: HostParts) {
  const { settings, plan, tags, name, inAccount } = scope;
  const { region, sshCidr, sshPort, sshPublicKey, vpcId, subnetIds, imageId, protect } = settings;
  const instanceTypes = [...new Set(plan.ladder.map(({ instanceType }) => instanceType))];
  const network = new Network(
    name("network"),
    {
      region,
      instanceTypes,
      zones: plan.ladder[0].zones,
      sshCidr,
      sshPort,
      serve: serveRule(settings),
      vpcId,
      subnetIds,
      tags,
    },
    inAccount,
  );
  const hostKey = new SeededHostKey(name("host-key"));
  const host = new GpuHost(
    name("host"),
    {
      ladder: plan.ladder,
      rootVolumeGiB: plan.rootVolumeGiB,
      subnetIds: network.subnetIds,
      securityGroupId: network.securityGroupId,
      sshPublicKey,
      hostKey,
      weights,
      checkpoints,
      expiresAt: lease.expiresAt,
      // Armed first: from the moment that something costs, something ends it.
      after: [network, ...armed],
      tags,
      launchTags: { "berth:started-at": lease.startedAt, "berth:expires-at": lease.expiresAt },
      imageId,
      bakeKey: bakeKey(plan, baseImageParameter),
      idle: idleStop(settings),
      sessionManager: settings.sshThrough === "ssm",
    },
    { ...inAccount, protect },
  );
  return { host, hostKey: hostKey.publicKey };
}

function serveRule({ serveCidr: cidr, serverPort: port }: Settings) {
  return cidr === undefined ? undefined : { cidr, port };
}

function idleStop({ idleMinutes, serverPort, sshPort }: Settings): IdleStop | undefined {
  return idleMinutes === undefined ? undefined : { idleMinutes, serverPort, sshPort };
}

function bootstrapHost(
  { plan, name }: Scope,
  { instanceId, launched }: GpuHost,
  connection: HostConnection,
  expiresAt: pulumi.Output<string>,
): HostBootstrap {
  const gpu = {
    model: launched.apply(({ gpuModel }) => gpuModel),
    count: launched.apply(({ gpuCount }) => gpuCount),
  };
  return new HostBootstrap(name("bootstrap"), {
    connection,
    instanceId,
    gpu,
    engine: plan.engine,
    dataFolder,
    expiresAt,
  });
}

interface ServerParts {
  readonly host: GpuHost;
  readonly connection: HostConnection;
  readonly bootstrap: HostBootstrap;
  readonly sync: WeightsSync;
  readonly token: pulumi.Output<string>;
}

/** How the plan splits the model on the type that was launched; a pinned host may have left the ladder. */
function tensorParallelOn({ ladder }: Plan, launched: LaunchedRung): number {
  const rung = ladder.find(({ instanceType }) => instanceType === launched.instanceType);
  return (rung ?? launched).tensorParallel;
}

function modelServer({ plan, settings, name }: Scope, parts: ServerParts): ModelServer {
  const { host, connection, bootstrap, sync, token } = parts;
  return new ModelServer(
    name("server"),
    {
      connection,
      instanceId: host.instanceId,
      engine: plan.engine,
      modelId: plan.modelId,
      weightsFolder: weightsFolderOf(plan.modelId),
      dataFolder,
      port: settings.serverPort,
      contextTokens: plan.contextTokens,
      tensorParallel: host.launched.apply((rung) => tensorParallelOn(plan, rung)),
      quantise: plan.quantise,
      kvCacheDtype: settings.kvCacheDtype,
      temperature: settings.temperature,
      topP: settings.topP,
      token,
      ...serverAccess(settings),
      weightsVersion: sync.manifestSha256,
    },
    { dependsOn: [bootstrap, sync] },
  );
}
