import { memoryLine, modelLine } from "../plan-text.ts";
import type { Plan } from "../plan.ts";
import type { ExistingHostPlan } from "./existing-host-plan.ts";

/** Whether a plan is of a machine that is there already. */
export function isExistingHostPlan(plan: Plan): plan is ExistingHostPlan {
  return "existingHost" in plan;
}

/** The plan as a person reads it. One entry a line. */
export function existingHostPlanLines(plan: ExistingHostPlan): readonly string[] {
  const { host, gpus } = plan.existingHost;
  const [{ comfortable }] = plan.ladder;
  const room = comfortable ? "with room to spare" : "just";
  const how = gpus === "none" ? "no GPU: it is served on the CPU" : `${gpus}; holds it ${room}`;
  return [
    modelLine(plan),
    memoryLine(plan.demand, plan.precision),
    `machine    ${host}: ${how}`,
    "price      nothing of AWS but requests to a bucket, where the weights come from one",
    "ends       never by itself; `berth down` stops the server and removes what berth put there",
    `engine     ${plan.engine}; catalogue of ${plan.catalogueVersion}`,
  ];
}
