import { loadCatalogue } from "./components/catalogue/load.ts";
import { makePlan } from "./components/sizing/make-plan.ts";
import { explained } from "./components/explained.ts";
import { deployGpuHost } from "./stacks/gpu-host-stack.ts";
import { stackOutputs } from "./stacks/outputs.ts";
import { planRequest, readSettings } from "./stacks/settings.ts";
import { deployWeights, keepsWeights } from "./stacks/weights-stack.ts";

/** One model, one target, one lease: read the settings, plan on data alone, then provision what the plan says. */
function deployModel() {
  const settings = readSettings();
  const plan = makePlan(planRequest(settings), loadCatalogue());
  return stackOutputs(deployGpuHost(settings, plan));
}

/** A stack of weights has two of these and no more; Pulumi leaves out what is undefined. */
type Outputs = ReturnType<typeof deployModel> & Partial<ReturnType<typeof deployWeights>>;
const outputs = explained(() =>
  keepsWeights() ? (deployWeights() as Outputs) : (deployModel() as Outputs),
);

export const { plan, hourlyUsd, catalogueVersion } = outputs;
export const { startedAt, expiresAt, owner } = outputs;
export const { instanceId, instanceType, address, sshPort, user, hostKey } = outputs;
export const { url, weightsUri, weightsBucket } = outputs;
