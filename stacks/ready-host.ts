import * as pulumi from "@pulumi/pulumi";
import { HostBootstrap } from "../components/bootstrap/host-bootstrap.ts";
import { HostKeyRotation } from "../components/gpu-host/host-key-rotation.ts";
import type { LaunchedRung } from "../components/gpu-host/host-launch.ts";
import type { HostConnection, HostThrough } from "../components/host-connection.ts";
import { adapterFolderOf, hostDataFolder, weightsFolderOf } from "../components/host-folders.ts";
import { storedAdapters, usualAdapterRank } from "../components/model-server/adapters.ts";
import { ModelServer } from "../components/model-server/model-server.ts";
import type { Plan } from "../components/plan.ts";
import { WeightsSync } from "../components/weights/weights-sync.ts";
import type { HostSettings } from "./settings.ts";
import { serverAccess } from "./serving.ts";
import { throughInstance } from "./ssh-through.ts";

/** Where berth keeps its files on a host. */
const dataFolder = hostDataFolder;

/** Names of what makes one host ready; they are its identity in the state. */
export interface HostNames {
  readonly rotation: string;
  readonly bootstrap: string;
  readonly weights: string;
  readonly server: string;
  /** Of each adapter that is served beside the model. */
  readonly adapter: (name: string) => string;
}

/** What a launched host is made ready with. */
export interface HostGround {
  readonly settings: HostSettings;
  readonly plan: Plan;
  readonly names: HostNames;
  readonly host: {
    readonly instanceId: pulumi.Output<string>;
    readonly address: pulumi.Output<string>;
    readonly launched: pulumi.Output<LaunchedRung>;
    readonly user: string;
  };
  /** The key that cloud-init seeds, for the first contact. */
  readonly seededKey: pulumi.Output<string>;
  readonly expiresAt: pulumi.Output<string>;
  readonly weights: { readonly bucket: pulumi.Input<string>; readonly prefix: string };
  /** What callers of its server have to know; a secret. */
  readonly token: pulumi.Output<string>;
  readonly serverPort: number;
}

/** A host that serves the model, and how it is reached. */
export interface ReadyHost {
  /** The key that the host made itself, to pin. */
  readonly hostKey: pulumi.Output<string>;
  /** What is on the way to it, where something is. */
  readonly through: pulumi.Output<HostThrough> | undefined;
  readonly server: ModelServer;
}

/** Makes a launched host ready: a key of its own, the software, the weights at the same time, then the server. */
export function readyHost(ground: HostGround): ReadyHost {
  const { settings, plan, names, host, weights, token } = ground;
  const { instanceId } = host;
  const through = throughInstance(settings, instanceId);
  const seeded = {
    host: host.address,
    port: settings.sshPort,
    user: host.user,
    hostKey: ground.seededKey,
    through,
  };
  const rotation = new HostKeyRotation(names.rotation, { connection: seeded, instanceId });
  const connection = { ...seeded, hostKey: rotation.hostKey };
  const bootstrap = bootstrapHost(ground, connection);
  const sync = new WeightsSync(names.weights, {
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
  const adapters = adapterSyncs(ground, connection, sync);
  const server = modelServer(ground, { connection, bootstrap, sync, adapters, token });
  return { hostKey: rotation.hostKey, through, server };
}

/** Brings adapters after the weights, which are what takes long. */
function adapterSyncs(
  { settings, names, host, weights }: HostGround,
  connection: HostConnection,
  after: WeightsSync,
): readonly AdapterSync[] {
  return storedAdapters(settings.adapters).map(({ name, prefix }) => {
    const folder = adapterFolderOf(name);
    const args = {
      ...{ connection, instanceId: host.instanceId, bucket: weights.bucket, prefix, folder },
      region: settings.region,
      bucketRegion: settings.weightsRegion,
      requesterPays: settings.weightsRequesterPays,
    };
    return { name, folder, sync: new WeightsSync(names.adapter(name), args, { dependsOn: after }) };
  });
}

interface AdapterSync {
  readonly name: string;
  readonly folder: string;
  readonly sync: WeightsSync;
}

/** Changes with the weights or with an adapter's, so that the server loads the new ones. */
function versionOf(sync: WeightsSync, adapters: readonly AdapterSync[]): pulumi.Output<string> {
  if (adapters.length === 0) return sync.manifestSha256;
  const all = [sync, ...adapters.map((adapter) => adapter.sync)];
  return pulumi
    .all(all.map(({ manifestSha256 }) => manifestSha256))
    .apply((each) => each.join("-"));
}

function bootstrapHost(
  { plan, names, host, expiresAt }: HostGround,
  connection: HostConnection,
): HostBootstrap {
  const { instanceId, launched } = host;
  const gpu = {
    model: launched.apply(({ gpuModel }) => gpuModel),
    count: launched.apply(({ gpuCount }) => gpuCount),
  };
  return new HostBootstrap(names.bootstrap, {
    connection,
    instanceId,
    gpu,
    engine: plan.engine,
    dataFolder,
    expiresAt,
  });
}

interface ServerParts {
  readonly connection: HostConnection;
  readonly bootstrap: HostBootstrap;
  readonly sync: WeightsSync;
  readonly adapters: readonly AdapterSync[];
  readonly token: pulumi.Output<string>;
}

/** How the plan splits the model on the type that was launched; a pinned host may have left the ladder. */
function tensorParallelOn({ ladder }: Plan, launched: LaunchedRung): number {
  const rung = ladder.find(({ instanceType }) => instanceType === launched.instanceType);
  return (rung ?? launched).tensorParallel;
}

function modelServer(
  { plan, settings, names, host, serverPort }: HostGround,
  { connection, bootstrap, sync, adapters, token }: ServerParts,
): ModelServer {
  return new ModelServer(
    names.server,
    {
      connection,
      instanceId: host.instanceId,
      engine: plan.engine,
      modelId: plan.modelId,
      weightsFolder: weightsFolderOf(plan.modelId),
      dataFolder,
      port: serverPort,
      contextTokens: plan.contextTokens,
      tensorParallel: host.launched.apply((rung) => tensorParallelOn(plan, rung)),
      quantise: plan.quantise,
      kvCacheDtype: settings.kvCacheDtype,
      temperature: settings.temperature,
      topP: settings.topP,
      token,
      ...serverAccess(settings),
      ...(adapters.length === 0
        ? {}
        : {
            adapters: adapters.map(({ name, folder }) => ({ name, folder })),
            adapterRank: settings.adapterRank ?? usualAdapterRank,
          }),
      weightsVersion: versionOf(sync, adapters),
    },
    { dependsOn: [bootstrap, sync, ...adapters.map((adapter) => adapter.sync)] },
  );
}
