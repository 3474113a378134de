import {
  DescribeTrainingJobCommand,
  paginateListTrainingJobs,
  SageMakerClient,
} from "@aws-sdk/client-sagemaker";
import { paginateListServiceQuotas, ServiceQuotasClient } from "@aws-sdk/client-service-quotas";
import type { TrainingJobPlan } from "../../components/sagemaker-training/training-job-plan.ts";
import { UserError } from "../../components/user-error.ts";
import type { AccountScope } from "./account-scope.ts";

interface Quota {
  readonly value: number;
  readonly code: string;
}

/** Quotas of SageMaker by their names: the codes are written down nowhere. */
async function quotasNamed(
  scope: AccountScope,
  names: readonly string[],
): Promise<ReadonlyMap<string, Quota>> {
  const client = new ServiceQuotasClient({ ...scope.client, maxAttempts: 2 });
  const found = new Map<string, Quota>();
  try {
    const asked = { ServiceCode: "sagemaker", MaxResults: 100 };
    for await (const page of paginateListServiceQuotas({ client }, asked)) {
      for (const { QuotaName = "", Value = 0, QuotaCode = "" } of page.Quotas ?? []) {
        if (names.includes(QuotaName)) found.set(QuotaName, { value: Value, code: QuotaCode });
      }
    }
    return found;
  } finally {
    client.destroy();
  }
}

/** Instances of the type that jobs in progress have, bought in the same way. */
async function instancesInUse(
  scope: AccountScope,
  { instanceType, spot }: TrainingJobPlan,
): Promise<number> {
  const client = new SageMakerClient({ ...scope.client, maxAttempts: 2 });
  let count = 0;
  try {
    const asked = { StatusEquals: "InProgress" as const };
    for await (const page of paginateListTrainingJobs({ client }, asked)) {
      for (const { TrainingJobName } of page.TrainingJobSummaries ?? []) {
        const job = await client.send(new DescribeTrainingJobCommand({ TrainingJobName }));
        const { InstanceType, InstanceCount = 1 } = job.ResourceConfig ?? {};
        const same = (job.EnableManagedSpotTraining ?? false) === spot;
        if (InstanceType === instanceType && same) count += InstanceCount;
      }
    }
    return count;
  } finally {
    client.destroy();
  }
}

/**
 * Holds a training job for which the account's quotas have no room, before anything is made.
 *
 * @returns warnings of what could not be asked, which must not keep anybody from trying
 * @throws UserError with each quota's name, its value and where to ask for more
 */
export async function checkTrainingQuota(
  scope: AccountScope,
  plan: TrainingJobPlan,
): Promise<readonly string[]> {
  const { quotaNames, instances } = plan;
  let quotas: ReadonlyMap<string, Quota>;
  let used: number;
  try {
    [quotas, used] = await Promise.all([
      quotasNamed(scope, quotaNames),
      instancesInUse(scope, plan),
    ]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [`quotas could not be read (${why}); SageMaker will say whether they are enough`];
  }
  const short = quotaNames.flatMap((name) => {
    const quota = quotas.get(name);
    if (quota === undefined || instances + used <= quota.value) return [];
    const page = `https://${scope.region}.console.aws.amazon.com/servicequotas/home/services/sagemaker/quotas/${quota.code}`;
    return [
      `"${name}" is ${quota.value}, ${used} of it are in use, and ${instances} are needed: ${page}`,
    ];
  });
  if (short.length > 0) {
    throw new UserError(`The account's quotas in ${scope.region} have no room for this job.`, {
      problems: short,
      hint: "Ask for more there, or write the folder again with --types of another type.",
    });
  }
  return quotaNames
    .filter((name) => !quotas.has(name))
    .map((name) => `there is no quota "${name}" in ${scope.region}`);
}
