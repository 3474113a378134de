import type { EndpointRequest } from "./endpoint-plan.ts";

/**
 * Memory that a copy reserves, MiB. It is no limit on what the copy takes: it only has to be there, and SageMaker keeps much
 * of an instance to itself. On ml.g5.xlarge, which has 16 GiB, 1024 are granted and 4096 refused as not enough hardware.
 */
const reservedMemoryMiB = 1024;

/** What one copy of a model takes of its instance, as an inference component asks for it. */
export interface ComponentCopy {
  /** GPUs; a copy has them alone. */
  readonly accelerators: number;
  readonly memoryMiB: number;
}

/** What a copy of the model takes, by the GPUs that it is split over; pure. */
export function componentCopy({ tensorParallel }: { tensorParallel: number }): ComponentCopy {
  return { accelerators: tensorParallel, memoryMiB: reservedMemoryMiB };
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
