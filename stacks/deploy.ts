import { deployGpuHost } from "./gpu-host-stack.ts";
import { makeStackPlan } from "./make-stack-plan.ts";
import { endpointOutputs, stackOutputs } from "./outputs.ts";
import { deployEndpoint } from "./sagemaker-stack.ts";
import type { Settings } from "./settings.ts";

type HostOutputs = ReturnType<typeof stackOutputs>;
type EndpointOutputs = ReturnType<typeof endpointOutputs>;

/** What a stack of either target tells; what a target does not have is left out. */
type Outputs = {
  readonly [K in keyof HostOutputs | keyof EndpointOutputs]?:
    | (K extends keyof HostOutputs ? HostOutputs[K] : never)
    | (K extends keyof EndpointOutputs ? EndpointOutputs[K] : never);
};

/** Plans on data alone, then provisions what the plan says, on the target that the settings name. */
export function deploy(settings: Settings): Outputs {
  return settings.target === "ec2"
    ? stackOutputs(deployGpuHost(settings, makeStackPlan(settings)))
    : endpointOutputs(deployEndpoint(settings, makeStackPlan(settings)));
}
