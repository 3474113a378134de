import type { InstanceType } from "../catalogue/instance-type.ts";
import type { Model } from "../catalogue/model.ts";
import { hostMemoryDemand } from "../sizing/host-memory-demand.ts";
import type { EndpointRequest } from "./endpoint-plan.ts";

/** Least that is asked for, MiB. */
const leastMiB = 1024;
/**
 * What SageMaker keeps of an instance to itself, MiB. An assumption by one observation: on ml.g5.xlarge, which has 16 GiB, a
 * copy of 1024 MiB was granted and one of 4096 refused as not enough hardware (https://github.com/stdapi-ai/stdapi.ai/issues/43).
 */
const keptMiB = 15 * 1024;

/** What one copy of a model takes of its instance, as an inference component asks for it. */
export interface ComponentCopy {
  /** GPUs; a copy has them alone. */
  readonly accelerators: number;
  /** It is no limit on what the copy takes: it only has to be there when the copy is placed. */
  readonly memoryMiB: number;
}

/**
 * What a copy of a model takes of a type: its GPUs, and the memory that loading it on them takes, at most its share of what
 * SageMaker grants there; pure.
 *
 * @param accelerators GPUs that a copy is split over
 */
export function componentCopy(
  model: Model,
  accelerators: number,
  { memoryGiB, gpuCount }: Pick<InstanceType, "memoryGiB" | "gpuCount">,
): ComponentCopy {
  const { parts } = hostMemoryDemand(model, "serve", { gpuCount: accelerators });
  const ownGiB = parts.reduce((sum, { name, gib }) => (name === "system" ? sum : sum + gib), 0);
  const grantedMiB = memoryGiB * 1024 - keptMiB;
  const shareMiB = Math.floor((grantedMiB * accelerators) / gpuCount);
  const memoryMiB = Math.max(leastMiB, Math.min(Math.ceil(ownGiB * 1024), shareMiB));
  return { accelerators, memoryMiB };
}

/** What cannot be had with inference components, a line each; names the settings. */
export function componentProblems(request: EndpointRequest): readonly string[] {
  const { endpointMode, endpointHours, fallbackTypes = 0, captureDataPercent = 0 } = request;
  if (endpointMode !== "components") return [];
  const refused: readonly (readonly [string, boolean, string])[] = [
    ["endpointHours", endpointHours !== undefined, "with minInstances 0 nothing is paid at night"],
    ["fallbackTypes", fallbackTypes > 0, "a component is sized for one type"],
    ["captureDataPercent", captureDataPercent > 0, "set endpointMode to realtime for that"],
    ["updateBakeSeconds", (request.updateBakeSeconds ?? 0) > 0, "no alarms watch its updates"],
    [
      "updateStrategy",
      (request.updateStrategy ?? "all-at-once") !== "all-at-once",
      "SageMaker changes its copies itself",
    ],
  ];
  return refused.flatMap(([setting, isAsked, why]) =>
    isAsked ? [`${setting}: not with endpointMode components; ${why}`] : [],
  );
}
