import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  paginateListEndpoints,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { paginateListServiceQuotas, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { EndpointPlan } from "../../components/sagemaker-endpoint/endpoint-plan.ts";
import { UserError } from "../../components/user-error.ts";
import type { AccountScope } from "./account-scope.ts";

/** Where an increase is asked for. */
function requestPage(region: string, quotaCode: string): string {
  return `https://${region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas/${quotaCode}`;
}

interface Quota {
  readonly value: number;
  readonly code: string;
}

/** By its name: the codes of these quotas are written down nowhere. */
async function findQuota(scope: AccountScope, name: string): Promise<Quota | undefined> {
  const client = new ServiceQuotasClient({ ...scope.client, maxAttempts: 2 });
  try {
    for await (const page of paginateListServiceQuotas(
      { client },
      { ServiceCode: "sagemaker", MaxResults: 100 },
    )) {
      const found = page.Quotas?.find(({ QuotaName }) => QuotaName === name);
      if (found !== undefined) return { value: found.Value ?? 0, code: found.QuotaCode ?? "" };
    }
    return undefined;
  } finally {
    client.destroy();
  }
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
        const { ProductionVariants = [] } = await client.send(
          new DescribeEndpointConfigCommand({ EndpointConfigName }),
        );
        for (const variant of ProductionVariants) {
          const current = endpoint.ProductionVariants?.find(
            ({ VariantName }) => VariantName === variant.VariantName,
          );
          if (variant.InstanceType === instanceType) count += current?.CurrentInstanceCount ?? 1;
        }
      }
    }
    return count;
  } finally {
    client.destroy();
  }
}

/**
 * Holds an `up` for which the account's quota has no room, before anything is made.
 *
 * @returns a warning when the quota could not be read, which must not keep anybody from trying
 * @throws UserError with the quota's name, its value and where to ask for more
 */
export async function checkEndpointQuota(
  scope: AccountScope,
  plan: EndpointPlan,
): Promise<string | undefined> {
  const { quotaName, maxInstances } = plan.endpoint;
  const [{ instanceType }] = plan.ladder;
  let quota: Quota | undefined;
  let used: number;
  try {
    [quota, used] = await Promise.all([
      findQuota(scope, quotaName),
      instancesInUse(scope, instanceType),
    ]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `the quota "${quotaName}" could not be read (${why}); SageMaker will say whether it is enough`;
  }
  if (quota === undefined) return `there is no quota "${quotaName}" in ${scope.region}`;
  if (maxInstances <= quota.value - used) return undefined;
  throw new UserError(
    `The quota "${quotaName}" is ${quota.value} in ${scope.region}, ${used} of it are in use, and ${maxInstances} are needed.`,
    {
      hint: `Ask for more at ${requestPage(scope.region, quota.code)}, or set berth:instanceTypes to another type of the plan.`,
    },
  );
}
