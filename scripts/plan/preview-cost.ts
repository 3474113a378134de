import { previewedCostLines } from "../../components/cost/previewed-cost-text.ts";
import { previewCost, type PreviewedCost } from "../../components/cost/previewed-cost.ts";
import { pricedRegions } from "../../components/pricing/region-prices.ts";
import { isEndpointPlan } from "../../components/sagemaker-endpoint/stack-plan-text.ts";
import { declaredMonth } from "../../stacks/declared-month.ts";
import type { Deployment } from "../stack/deployment.ts";
import type { BerthOutputs } from "../stack/stack-outputs.ts";

/** A machine that is there already may be in no region, and nothing of AWS is paid for it but requests to a bucket. */
const nowhere = { region: pricedRegions[0] ?? "us-east-1", weightsGiB: 0 };

/** What a deployment would cost against what its stack runs now, by the outputs of the last `up`. */
export function previewedCostOf(
  { settings, plan }: Pick<Deployment, "settings" | "plan">,
  outputs: BerthOutputs,
  now: Date,
): PreviewedCost {
  const { hourlyUsd, weightsGiB, ladder, hosts } = plan;
  const scales =
    isEndpointPlan(plan) &&
    (plan.endpoint.minInstances < plan.endpoint.maxInstances ||
      plan.endpoint.serverless !== undefined);
  const planned = {
    hourlyUsd,
    atMost: ladder[0].purchase === "spot" || scales,
    month: declaredMonth(hourlyUsd, settings),
    ...(settings.target === "existing-host" ? nowhere : { region: settings.region, weightsGiB }),
    hosts,
    weightsRegion: settings.target === "ec2" ? settings.weightsRegion : undefined,
  };
  return previewCost(planned, running(outputs, now));
}

/** The same as a person reads it, one entry a line; nothing for a machine that is there already, of which AWS is paid nothing. */
export function costLinesOf(
  { settings }: Pick<Deployment, "settings">,
  previewed: PreviewedCost,
): readonly string[] {
  return settings.target === "existing-host" ? [] : previewedCostLines(previewed);
}

/** Nothing runs before the first `up` came through, nor after the deadline. */
function running(outputs: BerthOutputs, now: Date) {
  const { instanceId, endpointName, hourlyUsd, monthlyUsd, expiresAt = "" } = outputs;
  if (hourlyUsd === undefined || (instanceId ?? endpointName) === undefined) return undefined;
  const over = expiresAt !== "" && Date.parse(expiresAt) <= now.getTime();
  return over ? undefined : { hourlyUsd, monthlyUsd };
}
