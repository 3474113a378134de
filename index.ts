import { loadCatalogue } from "./components/catalogue/load.ts";
import { makePlan } from "./components/sizing/make-plan.ts";
import { explained } from "./components/explained.ts";
import { deployGpuHost } from "./stacks/gpu-host-stack.ts";
import { stackOutputs } from "./stacks/outputs.ts";
import { planRequest, readSettings } from "./stacks/settings.ts";

/** One model, one target, one lease: read the settings, plan on data alone, then provision what the plan says. */
const outputs = explained(() => {
  const settings = readSettings();
  const plan = makePlan(planRequest(settings), loadCatalogue());
  return stackOutputs(deployGpuHost(settings, plan));
});

export const { plan, hourlyUsd, catalogueVersion } = outputs;
export const { startedAt, expiresAt, owner } = outputs;
export const { instanceId, instanceType, address, sshPort, user, hostKey } = outputs;
export const { url, weightsUri } = outputs;
