import type { InstanceType } from "../catalogue/instance-type.ts";
import type { Placement } from "../plan.ts";
import { roundUsd } from "../pricing/hourly-cost.ts";
import { fitsDisk } from "./endpoint-limits.ts";
import type { EndpointPlan, EndpointShape } from "./endpoint-plan.ts";
import { serverlessQuotaName, serverlessType } from "./serverless-limits.ts";

/** A type that an endpoint may run on, and its price. */
export interface EndpointPool {
  readonly instanceType: string;
  readonly hourlyUsd: number;
}

/** Types that a variant may name, the first included (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html). */
export const mostPools = 5;

/**
 * The chosen type, and the next ones of the ladder that can stand in for it. One model serves all of them with one
 * environment, so that they split it over as many GPUs; and a volume is asked for by all of them or by none. Pure.
 *
 * @param fallbackTypes how many may stand in
 */
export function instancePools(
  [chosen, ...others]: readonly [Placement, ...Placement[]],
  types: readonly InstanceType[],
  { weightsGiB, fallbackTypes }: { readonly weightsGiB: number; readonly fallbackTypes: number },
): readonly EndpointPool[] {
  const disksOf = ({ instanceType }: Placement): number =>
    types.find((each) => each.instanceType === instanceType)?.localNvmeGB ?? 0;
  const isLike = (other: Placement): boolean =>
    other.tensorParallel === chosen.tensorParallel &&
    disksOf(other) > 0 === disksOf(chosen) > 0 &&
    fitsDisk(weightsGiB, disksOf(other));
  return [chosen, ...others.filter(isLike).slice(0, fallbackTypes)].map(
    ({ instanceType, hourlyUsd }) => ({ instanceType, hourlyUsd }),
  );
}

/** What an hour of all instances, and of the notebook, costs on one of the types; on one that is none of them, what the dearest does. */
export function hourlyUsdOn(
  {
    pools,
    instances,
    further,
    notebook,
  }: Pick<EndpointShape, "pools" | "instances" | "further" | "notebook">,
  instanceType: string,
): number {
  const known = pools.filter((pool) => pool.instanceType === instanceType);
  const prices = (known.length > 0 ? known : pools).map(({ hourlyUsd }) => hourlyUsd);
  const furtherUsd = further.reduce((sum, { hourlyUsd }) => sum + hourlyUsd, 0);
  const notebookUsd = notebook?.hourlyUsd ?? 0;
  return roundUsd(Math.max(...prices) * instances.most + furtherUsd + notebookUsd);
}

/** Instances at most by their types, as the quotas of endpoints count them. */
export function instancesByType({
  ladder: [{ instanceType }],
  endpoint: { instances, further },
}: EndpointPlan): ReadonlyMap<string, number> {
  const counts = new Map([[instanceType, instances.most]]);
  for (const { copy, instanceType: type, maxInstances } of further) {
    if (copy === undefined) counts.set(type, (counts.get(type) ?? 0) + maxInstances);
  }
  return counts;
}

/** The quota by which AWS counts a type; quotas of SageMaker are found by name. */
export function quotaNameOf(instanceType: string): string {
  if (instanceType === serverlessType) return serverlessQuotaName;
  return `${instanceType} for endpoint usage`;
}
