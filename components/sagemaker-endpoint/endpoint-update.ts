/** How an endpoint moves to a new configuration (https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html). */
export const updateStrategies = ["all-at-once", "canary", "linear", "rolling"] as const;

/** One of {@link updateStrategies}. */
export type UpdateStrategy = (typeof updateStrategies)[number];

/** What is asked of an endpoint's updates. */
export interface UpdateRequest {
  /** @default "all-at-once" */
  readonly updateStrategy?: UpdateStrategy | undefined;
  /** How long the alarms are watched after each step, seconds. @default 0: no alarms, and no way back but a failed start */
  readonly updateBakeSeconds?: number | undefined;
  /** Names of alarms of the user's own that roll an update back too. @default none */
  readonly rollbackAlarms?: readonly string[] | undefined;
}

/** How many instances a step moves, as SageMaker's API has it. */
export interface StepSize {
  readonly type: "INSTANCE_COUNT" | "CAPACITY_PERCENT";
  readonly value: number;
}

/** How a plan's endpoint is updated. */
export interface EndpointUpdate {
  readonly strategy: UpdateStrategy;
  readonly bakeSeconds: number;
  /** Undefined for all at once. */
  readonly step: StepSize | undefined;
  /** Instances more than usual while an update goes on. */
  readonly extraInstances: number;
  readonly alarms: readonly string[];
}

/** AWS's provider gives up on an update after an hour, in which containers have to start too. */
const longestWatchSeconds = 1800;

/** The stack's own alarm is one of the ten that SageMaker takes. */
const mostAlarms = 9;

/**
 * A step of a linear or rolling update: a quarter of the instances, which is always between SageMaker's 10 and 50 %. Of an
 * endpoint that scales nobody knows how many there will be, so that half of them is asked for.
 */
function stepSize(strategy: UpdateStrategy, least: number, most: number): StepSize | undefined {
  if (strategy === "all-at-once") return undefined;
  if (strategy === "canary") return { type: "INSTANCE_COUNT", value: 1 };
  return least === most
    ? { type: "INSTANCE_COUNT", value: Math.ceil(most / 4) }
    : { type: "CAPACITY_PERCENT", value: 50 };
}

function instancesOf(step: StepSize, most: number): number {
  return step.type === "INSTANCE_COUNT" ? step.value : Math.ceil((most * step.value) / 100);
}

/** How often the alarms are watched for the whole of their time. */
function watches({ strategy, step }: EndpointUpdate, most: number): number {
  if (step === undefined) return 1;
  return strategy === "canary" ? 2 : Math.ceil(most / instancesOf(step, most));
}

/** How updates of an endpoint with so many instances go; pure. */
export function planUpdate(
  request: UpdateRequest,
  { minInstances, maxInstances }: { readonly minInstances: number; readonly maxInstances: number },
): EndpointUpdate {
  const { updateStrategy: strategy = "all-at-once", updateBakeSeconds: bakeSeconds = 0 } = request;
  const step = stepSize(strategy, minInstances, maxInstances);
  // A blue/green update has the whole of the new instances beside the old ones before any traffic moves.
  const extraInstances =
    strategy === "rolling" && step !== undefined ? instancesOf(step, maxInstances) : maxInstances;
  return { strategy, bakeSeconds, step, extraInstances, alarms: request.rollbackAlarms ?? [] };
}

/** What of the update cannot be done, a line each; names the settings. */
export function updateProblems(
  request: UpdateRequest,
  size: { readonly minInstances: number; readonly maxInstances: number },
): readonly string[] {
  const update = planUpdate(request, size);
  const { strategy, bakeSeconds, step, alarms } = update;
  const watchedSeconds = watches(update, size.maxInstances) * bakeSeconds;
  return [
    ...(step !== undefined && size.minInstances < 2
      ? [
          `updateStrategy: ${strategy} moves half of the instances at most, and needs minInstances 2; with one, take all-at-once with updateBakeSeconds`,
        ]
      : []),
    ...(watchedSeconds > longestWatchSeconds
      ? [
          `updateBakeSeconds: ${bakeSeconds} s after each step are ${watchedSeconds} s in all, and an update has ${longestWatchSeconds} s for it, since AWS's provider waits for an hour`,
        ]
      : []),
    ...(alarms.length > 0 && bakeSeconds === 0
      ? ["rollbackAlarms: nobody watches them with updateBakeSeconds 0"]
      : []),
    ...(alarms.length > mostAlarms
      ? [`rollbackAlarms: ${alarms.length} are more than the ${mostAlarms} that SageMaker takes`]
      : []),
  ];
}

/** The update as `deploymentConfig` of AWS's provider has it, without its alarms; undefined where SageMaker's default holds. */
export function deploymentPolicy({ strategy, bakeSeconds, step }: EndpointUpdate) {
  if (strategy === "rolling" && step !== undefined) {
    return { rollingUpdatePolicy: { maximumBatchSize: step, waitIntervalInSeconds: bakeSeconds } };
  }
  if (step !== undefined) {
    const size =
      strategy === "canary"
        ? { type: "CANARY", canarySize: step }
        : { type: "LINEAR", linearStepSize: step };
    return blueGreen({ ...size, waitIntervalInSeconds: bakeSeconds }, 0);
  }
  if (bakeSeconds === 0) return undefined;
  // All at once has no steps: its alarms are watched while the old instances wait for their end.
  return blueGreen({ type: "ALL_AT_ONCE", waitIntervalInSeconds: 0 }, bakeSeconds);
}

function blueGreen<T>(trafficRoutingConfiguration: T, terminationWaitInSeconds: number) {
  return { blueGreenUpdatePolicy: { trafficRoutingConfiguration, terminationWaitInSeconds } };
}

/** One line of a plan. */
export function updateLine({
  strategy,
  bakeSeconds,
  step,
  extraInstances,
}: EndpointUpdate): string {
  const steps =
    step === undefined
      ? ""
      : step.type === "INSTANCE_COUNT"
        ? ` by ${step.value}`
        : ` by ${step.value} %`;
  const watched =
    bakeSeconds === 0
      ? "no alarms"
      : `alarms watched for ${bakeSeconds} s${step === undefined ? "" : " after each step"}, and back when one goes off`;
  const more =
    extraInstances === 0
      ? ""
      : `; ${extraInstances} more instance${extraInstances === 1 ? "" : "s"} meanwhile`;
  return `updates    ${strategy}${steps}, ${watched}${more}`;
}
