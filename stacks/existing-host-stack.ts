import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { HostBootstrap } from "../components/bootstrap/host-bootstrap.ts";
import type { ExistingHostPlan } from "../components/existing-host/existing-host-plan.ts";
import { ExistingHost } from "../components/existing-host/existing-host.ts";
import { parseHostAddress, type HostAddress } from "../components/host-address.ts";
import type { HostConnection, HostThrough } from "../components/host-connection.ts";
import { hostDataFolder, weightsFolderOf } from "../components/host-folders.ts";
import { partName } from "../components/identity.ts";
import { ModelServer } from "../components/model-server/model-server.ts";
import {
  fingerprintOf,
  listWeightsFolder,
  resolveFolder,
} from "../components/weights/folder-listing.ts";
import { WeightsCopy } from "../components/weights/weights-copy.ts";
import { WeightsSync } from "../components/weights/weights-sync.ts";
import { makeLease, type DeploymentLease } from "./deployment-lease.ts";
import { checkLicence } from "./licence.ts";
import { serverToken } from "./serving.ts";
import { throughOf } from "./ssh-through.ts";
import type { ExistingHostSettings as Settings } from "./settings.ts";

/** What a deployment on a machine that is there already turned out to be. */
export interface ExistingHostDeployment {
  readonly settings: Settings;
  readonly plan: ExistingHostPlan;
  readonly lease: DeploymentLease;
  readonly machine: ExistingHost;
  readonly login: HostAddress;
  /** What is on the way to it, where something is. */
  readonly through: HostThrough | undefined;
  readonly server: ModelServer;
  /** What callers of the server have to know; a secret. */
  readonly token: pulumi.Output<string>;
  readonly weightsUri: string;
}

interface Place {
  readonly connection: HostConnection;
  readonly instanceId: pulumi.Output<string>;
}

/**
 * A model on a machine that is there already: taken, made ready, filled with weights and served from, over SSH alone. No
 * resource of a cloud is made, and no account is asked unless the weights are in a bucket.
 *
 * @throws UserError when the plan's model is gated and its licence is not accepted, or the folder has no weights
 */
export function deployExistingHost(
  settings: Settings,
  plan: ExistingHostPlan,
): ExistingHostDeployment {
  checkLicence(settings, plan, pulumi.runtime.isDryRun());
  const { stack, hostKey } = settings;
  const name = (role: string) => partName(stack, role);
  const candidate = { now: new Date(), runId: randomBytes(6).toString("hex") };
  const lease = makeLease(name("lease"), { ...settings, region: undefined }, candidate);
  const login = parseHostAddress(settings.host);
  if (login === undefined) throw new Error(`${settings.host} is no address`);
  const through = throughOf(settings);
  const connection = { ...login, hostKey, through };
  const machine = new ExistingHost(name("machine"), {
    connection,
    dataFolder: hostDataFolder,
    stack,
    runId: lease.runId,
  });
  const place = { connection, instanceId: machine.machineId };
  const [{ gpuModel, gpuCount, tensorParallel }] = plan.ladder;
  const { engine, modelId, contextTokens } = plan;
  const bootstrap = new HostBootstrap(name("bootstrap"), {
    ...place,
    gpu: { model: gpuModel, count: gpuCount },
    engine,
    dataFolder: hostDataFolder,
    driver: settings.replaceDriver ? { replace: true } : undefined,
    // It may do other work: only its owner says when it goes down.
    reboot: settings.allowReboot,
  });
  const { weights, uri: weightsUri } = weightsOf(settings, plan, place);
  const token = serverToken(name("api-token"), settings.apiToken);
  const server = new ModelServer(
    name("server"),
    {
      ...place,
      engine,
      modelId,
      weightsFolder: weightsFolderOf(modelId),
      dataFolder: hostDataFolder,
      port: settings.serverPort,
      contextTokens,
      tensorParallel,
      quantise: plan.quantise,
      kvCacheDtype: settings.kvCacheDtype,
      temperature: settings.temperature,
      topP: settings.topP,
      keepOldEngine: settings.keepOldEngine,
      token,
      weightsVersion: weights.manifestSha256,
    },
    { dependsOn: [bootstrap, weights] },
  );
  return { settings, plan, lease, machine, login, through, server, token, weightsUri };
}

/** From the bucket that is named, else from a folder here. */
function weightsOf(settings: Settings, { modelId }: ExistingHostPlan, place: Place) {
  const { weightsBucket: bucket, weightsInclude: include, weightsExclude: exclude } = settings;
  const role = partName(settings.stack, "weights");
  const common = { ...place, folder: weightsFolderOf(modelId), include, exclude };
  if (bucket !== undefined) {
    const prefix = settings.weightsPrefix ?? `${modelId}/`;
    const { region, weightsRegion: bucketRegion, weightsRequesterPays: requesterPays } = settings;
    const from = { bucket, prefix, region, bucketRegion, requesterPays };
    return {
      weights: new WeightsSync(role, { ...common, ...from }),
      uri: `s3://${bucket}/${prefix}`,
    };
  }
  const source = resolveFolder(settings.weightsFolder ?? "");
  const fingerprint = fingerprintOf(listWeightsFolder(source, { include, exclude }));
  return { weights: new WeightsCopy(role, { ...common, source, fingerprint }), uri: source };
}
