import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  paginateListEndpoints,
  SageMakerClient,
  type ProductionVariant,
  type ProductionVariantSummary,
} from "@aws-sdk/client-sagemaker";
import { paginateListServiceQuotas, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { EndpointPlan } from "../../../components/sagemaker-endpoint/endpoint-plan.ts";
import {
  instancesByType,
  quotaNameOf,
} from "../../../components/sagemaker-endpoint/instance-pools.ts";
import {
  serverlessQuotaName,
  serverlessType,
} from "../../../components/sagemaker-endpoint/serverless-limits.ts";
import { UserError } from "../../../components/user-error.ts";
import type { AccountScope } from "../account-scope.ts";

/** Where an increase is asked for. */
function requestPage(region: string, quotaCode: string): string {
  return `https://${region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas/${quotaCode}`;
}

interface Quota {
  readonly value: number;
  readonly code: string;
}

/** Of endpoint usage, by their names: the codes of these quotas are written down nowhere. */
async function endpointQuotas(scope: AccountScope): Promise<ReadonlyMap<string, Quota>> {
  const client = new ServiceQuotasClient({ ...scope.client, maxAttempts: 2 });
  const quotas = new Map<string, Quota>();
  try {
    for await (const page of paginateListServiceQuotas(
      { client },
      { ServiceCode: "sagemaker", MaxResults: 100 },
    )) {
      for (const { QuotaName = "", Value = 0, QuotaCode = "" } of page.Quotas ?? []) {
        if (QuotaName.endsWith(" for endpoint usage") || QuotaName === serverlessQuotaName) {
          quotas.set(QuotaName, { value: Value, code: QuotaCode });
        }
      }
    }
    return quotas;
  } finally {
    client.destroy();
  }
}

/** Instances of a type that a variant has, which may have several types; requests at once where it has none. */
function instancesOf(
  { VariantName, InstanceType, ServerlessConfig }: ProductionVariant,
  summaries: readonly ProductionVariantSummary[] | undefined,
  instanceType: string,
): number {
  if (instanceType === serverlessType) return ServerlessConfig?.MaxConcurrency ?? 0;
  const current = summaries?.find((each) => each.VariantName === VariantName);
  if (InstanceType === instanceType) return current?.CurrentInstanceCount ?? 1;
  const pool = current?.InstancePools?.find((each) => each.InstanceType === instanceType);
  return pool?.CurrentInstanceCount ?? 0;
}

/** Instances of a type that other endpoints have; an endpoint of this stack is not counted against itself. */
async function instancesInUse(scope: AccountScope, instanceType: string): Promise<number> {
  const client = new SageMakerClient({ ...scope.client, maxAttempts: 2 });
  let count = 0;
  try {
    for await (const page of paginateListEndpoints({ client }, {})) {
      for (const { EndpointName = "", EndpointStatus } of page.Endpoints ?? []) {
        if (EndpointStatus === "Failed" || EndpointName.startsWith(`${scope.stack}-`)) continue;
        const endpoint = await client.send(new DescribeEndpointCommand({ EndpointName }));
        const { EndpointConfigName } = endpoint;
        const { ProductionVariants = [], ShadowProductionVariants = [] } = await client.send(
          new DescribeEndpointConfigCommand({ EndpointConfigName }),
        );
        const { ProductionVariants: own = [], ShadowProductionVariants: shadows = [] } = endpoint;
        for (const variant of [...ProductionVariants, ...ShadowProductionVariants]) {
          count += instancesOf(variant, [...own, ...shadows], instanceType);
        }
      }
    }
    return count;
  } finally {
    client.destroy();
  }
}

/** Types that stand in are worth no refusal, but SageMaker never takes one without a quota. */
function fallbackWarnings(
  quotas: ReadonlyMap<string, Quota>,
  { endpoint: { pools, instances } }: EndpointPlan,
): readonly string[] {
  return pools.slice(1).flatMap(({ instanceType }) => {
    const value = quotas.get(quotaNameOf(instanceType))?.value ?? 0;
    if (value >= instances.most) return [];
    return [
      `${instanceType} will not stand in: its quota is ${value}, and ${instances.most} are needed`,
    ];
  });
}

/**
 * Holds an `up` for which the account's quota has no room, before anything is made.
 *
 * @returns a warning when the quota could not be read, which must not keep anybody from trying, and one for each type that
 *   cannot stand in
 * @throws UserError with the quota's name, its value and where to ask for more
 */
export async function checkEndpointQuota(
  scope: AccountScope,
  plan: EndpointPlan,
): Promise<readonly string[]> {
  const needed = [...instancesByType(plan)];
  let quotas: ReadonlyMap<string, Quota>;
  let used: readonly number[];
  try {
    [quotas, used] = await Promise.all([
      endpointQuotas(scope),
      Promise.all(needed.map(([instanceType]) => instancesInUse(scope, instanceType))),
    ]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const names = needed.map(([instanceType]) => `"${quotaNameOf(instanceType)}"`).join(", ");
    return [
      `the quota ${names} could not be read (${why}); SageMaker will say whether it is enough`,
    ];
  }
  const warnings = needed.flatMap(([instanceType, count], index) =>
    checkQuota(scope, quotas, { instanceType, count, used: used[index] ?? 0 }),
  );
  return [...warnings, ...fallbackWarnings(quotas, plan)];
}

/** @throws UserError with the quota's name, its value and where to ask for more */
function checkQuota(
  { region }: AccountScope,
  quotas: ReadonlyMap<string, Quota>,
  {
    instanceType,
    count,
    used,
  }: { readonly instanceType: string; readonly count: number; readonly used: number },
): readonly string[] {
  const quotaName = quotaNameOf(instanceType);
  const quota = quotas.get(quotaName);
  if (quota === undefined) return [`there is no quota "${quotaName}" in ${region}`];
  if (count <= quota.value - used) return [];
  const instead =
    instanceType === serverlessType
      ? "lower berth:concurrency"
      : "set berth:instanceTypes to another type of the plan";
  throw new UserError(
    `The quota "${quotaName}" is ${quota.value} in ${region}, ${used} of it are in use, and ${count} are needed.`,
    { hint: `Ask for more at ${requestPage(region, quota.code)}, or ${instead}.` },
  );
}
