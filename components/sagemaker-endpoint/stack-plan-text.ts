import {
  existingHostPlanLines,
  isExistingHostPlan,
} from "../existing-host/existing-host-plan-text.ts";
import type { Plan } from "../plan.ts";
import { planLines } from "../plan-text.ts";
import { endpointPlanLines } from "./endpoint-plan-text.ts";
import type { EndpointPlan } from "./endpoint-plan.ts";

/** Whether a plan is of a SageMaker endpoint. */
export function isEndpointPlan(plan: Plan): plan is EndpointPlan {
  return "endpoint" in plan;
}

/** A plan of any target as a person reads it. One entry a line. */
export function stackPlanLines(plan: Plan): readonly string[] {
  if (isExistingHostPlan(plan)) return existingHostPlanLines(plan);
  return isEndpointPlan(plan) ? endpointPlanLines(plan) : planLines(plan);
}
