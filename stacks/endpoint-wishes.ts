import { loadNotebookTypes } from "../components/notebook-instance/load-notebook-types.ts";
import { planNotebook, type NotebookPlan } from "../components/notebook-instance/notebook-plan.ts";
import type { EndpointRequest } from "../components/sagemaker-endpoint/endpoint-plan.ts";
import type { FurtherRequest } from "../components/sagemaker-endpoint/further-models.ts";
import type { PlanRequest } from "../components/sizing/make-plan.ts";
import type { EndpointSettings } from "./parse-settings.ts";

function notebookOf(settings: EndpointSettings): NotebookPlan | undefined {
  const { notebookType, notebookIdleMinutes: idleMinutes, region } = settings;
  if (notebookType === undefined) return undefined;
  const asked = { notebookType, idleMinutes, region, ownHourlyUsd: settings.notebookHourlyUsd };
  return planNotebook(asked, loadNotebookTypes());
}

/** A shadow does not scale: it has as many instances as are asked for. */
function shadowOf({ shadow }: EndpointSettings): FurtherRequest | undefined {
  if (shadow === undefined) return undefined;
  const { instances, ...asked } = shadow;
  return { ...asked, minInstances: instances, maxInstances: instances };
}

/** Seconds for which alarms are watched where nobody asked: five of their periods. */
const defaultBakeSeconds = 300;

/**
 * What a stack's settings ask of its endpoint, with the environment's defaults: in dev nobody waits at night, so what queues
 * costs nothing while nothing waits, and an update is over as soon as it can; elsewhere alarms watch over it.
 */
export function endpointWishes(
  settings: EndpointSettings,
): Omit<EndpointRequest, keyof PlanRequest> {
  const { env, imageUri, rollbackAlarms, captureDataPercent, endpointHours, fallbackTypes } =
    settings;
  const tries = env === "dev" || env === "local";
  const endpointMode = settings.endpointMode ?? (env === "dev" ? "async" : "realtime");
  const minInstances = settings.minInstances ?? (endpointMode === "realtime" ? 1 : 0);
  const maxInstances = settings.maxInstances ?? Math.max(1, minInstances);
  // Alarms watch the endpoint's own model, which there is none of with components.
  const isUnwatched = tries || endpointMode === "components";
  const isMovedWhole = minInstances < 2 || settings.shadow !== undefined;
  const updateStrategy =
    settings.updateStrategy ?? (isUnwatched || isMovedWhole ? "all-at-once" : "rolling");
  const updateBakeSeconds = settings.updateBakeSeconds ?? (isUnwatched ? 0 : defaultBakeSeconds);
  return {
    endpointMode,
    minInstances,
    maxInstances,
    imageUri,
    servingImage: settings.servingImage,
    updateStrategy,
    updateBakeSeconds,
    rollbackAlarms,
    captureDataPercent,
    endpointHours,
    fallbackTypes,
    notebook: notebookOf(settings),
    serverless: {
      memoryMiB: settings.serverlessMemoryMiB,
      provisionedConcurrency: settings.provisionedConcurrency,
      usdPerGiBSecond: settings.serverlessUsdPerGiBSecond,
      archive: settings.weightsArchive,
    },
    inVpc: settings.subnetIds !== undefined,
    ownKey: settings.kmsKeyArn !== undefined,
    isolated: settings.networkIsolation === true,
    variants: settings.variants,
    shadow: shadowOf(settings),
    components: settings.components?.map(({ minCopies, maxCopies, ...component }) => ({
      ...component,
      share: 0,
      minInstances: minCopies,
      maxInstances: maxCopies,
    })),
  };
}
