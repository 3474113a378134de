import { endpointOutputs } from "../../stacks/outputs.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { parseSettings } from "../../stacks/settings.ts";
import { deployEndpoint } from "../../stacks/sagemaker-stack.ts";
import { goodConfig } from "../support/builders.ts";
import { underMocks } from "../support/mocks.ts";

/** An endpoint's program under mocks, with some of its settings changed; undefined takes one away. */
export function deployment(change: Readonly<Record<string, unknown>> = {}) {
  const config = {
    ...goodConfig,
    "berth:sshCidr": undefined,
    "berth:sshPublicKey": undefined,
    "berth:target": "sagemaker",
    ...change,
  };
  const given = Object.fromEntries(
    Object.entries(config).filter(([, value]) => value !== undefined),
  );
  const settings = parseSettings({ stack: "dev", config: given });
  if (settings.target !== "sagemaker") throw new Error("not an endpoint");
  const plan = makeStackPlan(settings);
  return underMocks(() => endpointOutputs(deployEndpoint(settings, plan)), {
    answers: {
      "aws:index/getCallerIdentity:getCallerIdentity": () => ({ accountId: "123456789012" }),
    },
  });
}
