import type { EndpointRequest } from "./endpoint-plan.ts";
import { serverlessLimits, serverlessPrice } from "./serverless-limits.ts";

/** What is asked of an endpoint without instances. */
export interface ServerlessRequest {
  /** Memory of one container, MiB. @default the least that holds the model */
  readonly memoryMiB?: number | undefined;
  /** Containers that are kept warm, and paid all the time. @default none */
  readonly provisionedConcurrency?: number | undefined;
  /** Price of a second for each GiB, USD, where berth knows none. @default the table's */
  readonly usdPerGiBSecond?: number | undefined;
  /** Key of the archive that its containers unpack. @default the one beside the weights */
  readonly archive?: string | undefined;
}

/** The price that holds, USD; undefined where nobody says one. */
export function priceOf({ region, serverless = {} }: EndpointRequest): number | undefined {
  return serverless.usdPerGiBSecond ?? serverlessPrice(region);
}

/** What is only for endpoints without instances, and what those do not have: a line each, with the settings' names. */
export function serverlessProblems(request: EndpointRequest): readonly string[] {
  const { endpointMode, serverless = {} } = request;
  if (endpointMode === "serverless") return [...missing(request), ...wrong(request)];
  const only: readonly (readonly [string, unknown])[] = [
    ["serverlessMemoryMiB", serverless.memoryMiB],
    ["provisionedConcurrency", serverless.provisionedConcurrency],
    ["serverlessUsdPerGiBSecond", serverless.usdPerGiBSecond],
    ["weightsArchive", serverless.archive],
  ];
  return only.flatMap(([setting, value]) =>
    value === undefined ? [] : [`${setting}: it is for endpointMode serverless`],
  );
}

/** What SageMaker excludes: serverless-endpoints.html under feature exclusions, deployment-guardrails-exclusions.html. */
function missing(request: EndpointRequest): readonly string[] {
  const { updateStrategy = "all-at-once", instanceTypes = [] } = request;
  const refused: readonly (readonly [string, boolean, string])[] = [
    ["instanceTypes", instanceTypes.length > 0, "there are none; its memory is its size"],
    ["minInstances", request.minInstances > 0, "provisionedConcurrency keeps containers warm"],
    ["maxInstances", request.maxInstances > 1, "concurrency is how many it answers at once"],
    ["fallbackTypes", (request.fallbackTypes ?? 0) > 0, "there are no types to fall back to"],
    ["captureDataPercent", (request.captureDataPercent ?? 0) > 0, "SageMaker captures none of it"],
    ["endpointHours", request.endpointHours !== undefined, "it costs nothing while nobody asks"],
    ["updateStrategy", updateStrategy !== "all-at-once", "it has no instances to move one by one"],
    ["servingImage", request.servingImage !== undefined, "AWS's llama.cpp image serves it"],
    ["subnetIds", request.inVpc === true, "SageMaker puts it into no VPC of yours"],
    ["kmsKeyArn", request.ownKey === true, "it has no volume"],
    ["networkIsolation", request.isolated === true, "SageMaker isolates none of it"],
  ];
  return refused.flatMap(([setting, isAsked, why]) =>
    isAsked ? [`${setting}: not with endpointMode serverless; ${why}`] : [],
  );
}

function wrong(request: EndpointRequest): readonly string[] {
  const { concurrency = 1, serverless = {}, region } = request;
  const { provisionedConcurrency = 0 } = serverless;
  const { mostConcurrency } = serverlessLimits;
  return [
    ...(concurrency > mostConcurrency
      ? [`concurrency: ${concurrency}, and SageMaker allows ${mostConcurrency}`]
      : []),
    ...(provisionedConcurrency > concurrency
      ? [`provisionedConcurrency: ${provisionedConcurrency} is above concurrency, ${concurrency}`]
      : []),
    ...(priceOf(request) === undefined
      ? [
          `serverlessUsdPerGiBSecond: no price is known in ${region}; set the one of https://aws.amazon.com/sagemaker/ai/pricing/ for 1 GiB`,
        ]
      : []),
  ];
}
