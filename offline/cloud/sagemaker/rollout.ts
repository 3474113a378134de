import { ApiError } from "../proxy/api-request.ts";

interface CapacitySize {
  readonly Type: "INSTANCE_COUNT" | "CAPACITY_PERCENT";
  readonly Value: number;
}

/** How an update moves traffic, as the DeploymentConfig of UpdateEndpoint has it. */
export interface DeploymentConfig {
  readonly AutoRollbackConfiguration?: { readonly Alarms?: readonly { AlarmName: string }[] };
  readonly BlueGreenUpdatePolicy?: {
    readonly TerminationWaitInSeconds?: number;
    readonly TrafficRoutingConfiguration: {
      readonly Type: "ALL_AT_ONCE" | "CANARY" | "LINEAR";
      readonly WaitIntervalInSeconds: number;
      readonly CanarySize?: CapacitySize;
      readonly LinearStepSize?: CapacitySize;
    };
  };
  readonly RollingUpdatePolicy?: {
    readonly MaximumBatchSize: CapacitySize;
    readonly WaitIntervalInSeconds: number;
  };
}

/** A share of the traffic that the new containers get, and for how long the alarms are watched before the next step. */
export interface RolloutStep {
  /** Above 0, at most 1. */
  readonly share: number;
  readonly watchSeconds: number;
}

function shareOf(size: CapacitySize | undefined, instances: number): number {
  if (size === undefined) return 1;
  return size.Type === "INSTANCE_COUNT" ? size.Value / Math.max(1, instances) : size.Value / 100;
}

function evenly(step: number, watchSeconds: number): RolloutStep[] {
  const count = Math.max(1, Math.ceil(1 / step - 1e-9));
  return Array.from({ length: count }, (_, index) => ({
    share: Math.min(1, (index + 1) * step),
    watchSeconds,
  }));
}

/** The steps of an update; one without a wait when nothing is asked. */
export function rolloutSteps(
  config: DeploymentConfig | undefined,
  instances: number,
): readonly RolloutStep[] {
  const { BlueGreenUpdatePolicy: blueGreen, RollingUpdatePolicy: rolling } = config ?? {};
  if (rolling !== undefined) {
    return evenly(shareOf(rolling.MaximumBatchSize, instances), rolling.WaitIntervalInSeconds);
  }
  if (blueGreen === undefined) return [{ share: 1, watchSeconds: 0 }];
  const { TerminationWaitInSeconds = 0, TrafficRoutingConfiguration: routing } = blueGreen;
  const watchSeconds = routing.WaitIntervalInSeconds;
  const before =
    routing.Type === "CANARY"
      ? [
          { share: shareOf(routing.CanarySize, instances), watchSeconds },
          { share: 1, watchSeconds },
        ]
      : routing.Type === "LINEAR"
        ? evenly(shareOf(routing.LinearStepSize, instances), watchSeconds)
        : [];
  return [...before, { share: 1, watchSeconds: TerminationWaitInSeconds }];
}

/** Allowed shares of a step: docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html, ..._RollingUpdatePolicy.html */
const allowed = { canary: [0, 0.5], linear: [0.1, 0.5], rolling: [0.05, 0.5] } as const;

/** Refuses a configuration whose steps are too large or too small for the variant, or that asks for two ways at once. */
export function checkDeploymentConfig(
  config: DeploymentConfig | undefined,
  instances: number,
): void {
  const { BlueGreenUpdatePolicy: blueGreen, RollingUpdatePolicy: rolling } = config ?? {};
  if (blueGreen !== undefined && rolling !== undefined) {
    throw new ApiError(
      "ValidationException",
      "Only one of BlueGreenUpdatePolicy and RollingUpdatePolicy can be given.",
    );
  }
  const { CanarySize, LinearStepSize } = blueGreen?.TrafficRoutingConfiguration ?? {};
  const sizes = { canary: CanarySize, linear: LinearStepSize, rolling: rolling?.MaximumBatchSize };
  for (const [kind, size] of Object.entries(sizes)) {
    const [least, most] = allowed[kind as keyof typeof allowed];
    const share = shareOf(size, instances);
    if (size === undefined || (share >= least && share <= most)) continue;
    throw new ApiError(
      "ValidationException",
      `The ${kind} step of ${size.Value} (${size.Type}) is not between ${least * 100} and ${most * 100} percent of ${instances} instances.`,
    );
  }
}
