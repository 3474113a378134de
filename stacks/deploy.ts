import { deployGpuHost } from "./gpu-host-stack.ts";
import { makeStackPlan } from "./make-stack-plan.ts";
import { endpointOutputs, stackOutputs } from "./outputs.ts";
import { deployEndpoint } from "./sagemaker-stack.ts";
import type { Settings } from "./settings.ts";

/** What a stack of either target tells. */
type Outputs = ReturnType<typeof stackOutputs> | ReturnType<typeof endpointOutputs>;

/** Plans on data alone, then provisions what the plan says, on the target that the settings name. */
export function deploy(settings: Settings): Outputs {
  return settings.target === "ec2"
    ? stackOutputs(deployGpuHost(settings, makeStackPlan(settings)))
    : endpointOutputs(deployEndpoint(settings, makeStackPlan(settings)));
}
