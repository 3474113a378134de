import { deployExistingHost } from "./existing-host-stack.ts";
import { deployGpuHost } from "./gpu-host-stack.ts";
import { makeStackPlan } from "./make-stack-plan.ts";
import { endpointOutputs, existingHostOutputs, stackOutputs } from "./outputs.ts";
import { deployEndpoint } from "./sagemaker-stack.ts";
import { readSettings } from "./settings.ts";
import { deployTraining, trains, type TrainingStackOutputs } from "./training-stack.ts";
import { deployWeights, keepsWeights, type WeightsStackOutputs } from "./weights-stack.ts";

/** What a stack tells, by its target. */
type Outputs =
  | ReturnType<typeof stackOutputs>
  | ReturnType<typeof endpointOutputs>
  | ReturnType<typeof existingHostOutputs>
  | WeightsStackOutputs
  | TrainingStackOutputs;

/**
 * Reads the settings, plans on data alone, then provisions what the plan says, on the target that the settings name.
 *
 * @throws UserError with every problem of the settings, or when nothing holds the model
 */
export function deploy(): Outputs {
  if (keepsWeights()) return deployWeights();
  if (trains()) return deployTraining();
  const settings = readSettings();
  if (settings.target === "existing-host")
    return existingHostOutputs(deployExistingHost(settings, makeStackPlan(settings)));
  return settings.target === "ec2"
    ? stackOutputs(deployGpuHost(settings, makeStackPlan(settings)))
    : endpointOutputs(deployEndpoint(settings, makeStackPlan(settings)));
}
