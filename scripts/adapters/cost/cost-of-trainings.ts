import {
  DescribeTrainingJobCommand,
  SageMakerClient,
  type DescribeTrainingJobCommandOutput,
} from "@aws-sdk/client-sagemaker";
import type { Usage } from "../../../components/cost/usage.ts";
import { hourlyTag } from "../../../components/identity.ts";
import { timestamp } from "../../../components/lease/lease.ts";
import type { ClientSettings } from "../account-scope.ts";
import type { TaggedUsage } from "./cost-of-hosts.ts";
import { taggedThings } from "../tagged-things.ts";

/**
 * The instances of a job from their start to their end, at the price that its tag recorded. On spot fewer seconds are billed than
 * ran, which SageMaker says at the end; until then all of them count.
 */
function usageOf(job: DescribeTrainingJobCommandOutput, recordedUsd: number): Usage | undefined {
  const { TrainingJobName: resourceId = "", TrainingStartTime: start, TrainingEndTime: end } = job;
  // One that never got its instances has cost nothing.
  if (start === undefined) return undefined;
  const { InstanceType: type = "", InstanceCount: instances = 1 } = job.ResourceConfig ?? {};
  const from = timestamp(start);
  const { TrainingTimeInSeconds: ran = 0, BillableTimeInSeconds: billed } = job;
  const share = billed === undefined || ran === 0 ? 1 : billed / ran;
  const to = end === undefined ? undefined : timestamp(end);
  return {
    ...{ kind: "training-job", resourceId, type, units: instances, span: { from, to } },
    measured: to === undefined ? undefined : [{ from, to, units: instances * share }],
    prices: [{ from, hourlyUsd: recordedUsd / instances }],
  };
}

/** SageMaker training jobs of all runs in a region, those that are over too: their records stay. */
export async function trainingUsages(
  given: ClientSettings,
  region: string,
): Promise<readonly TaggedUsage[]> {
  const settings = { ...given, region };
  const client = new SageMakerClient(settings);
  try {
    const found: TaggedUsage[] = [];
    for (const { arn, tags } of await taggedThings(settings, "sagemaker:training-job")) {
      const TrainingJobName = arn.slice(arn.lastIndexOf("/") + 1);
      const job = await client.send(new DescribeTrainingJobCommand({ TrainingJobName }));
      const usage = usageOf(job, Number(tags[hourlyTag] ?? 0));
      if (usage !== undefined) found.push({ tags, usage });
    }
    return found;
  } finally {
    client.destroy();
  }
}
