import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { expiryTag, identityTags, partName, runTag } from "../components/identity.ts";
import { TrainingJob } from "../components/sagemaker-training/training-job.ts";
import { trainingRole } from "../components/sagemaker-training/training-role.ts";
import { TrainingTeardown } from "../components/sagemaker-training/training-teardown.ts";
import { inAccountOf } from "./in-account.ts";
import { makeLease } from "./deployment-lease.ts";
import { parseTrainingSettings } from "./training-settings.ts";

/** What the stack of a training job tells. */
export interface TrainingStackOutputs {
  readonly owner: string;
  readonly trainingJob: pulumi.Output<string>;
  readonly instanceType: string;
  readonly checkpointsUri: string;
  readonly startedAt: pulumi.Output<string>;
  readonly expiresAt: pulumi.Output<string>;
  /** All instances; on spot the most. */
  readonly hourlyUsd: number;
}

/** Whether the running stack is a training job's: `berth:target` is "training". */
export function trains(): boolean {
  return pulumi.runtime.allConfig()["berth:target"] === "training";
}

/**
 * One training job: what ends it first, then its role, then the job. Its checkpoints and its result are in a bucket that is not
 * of this stack, and stay.
 *
 * @throws UserError with every problem of the stack's file
 */
export function deployTraining(): TrainingStackOutputs {
  const stack = pulumi.getStack();
  const settings = parseTrainingSettings(stack, pulumi.runtime.allConfig());
  const { env, owner, model, region, hourlyUsd, instanceType, checkpointsUri } = settings;
  const name = (role: string) => partName(stack, role);
  const candidate = { now: new Date(), runId: randomBytes(6).toString("hex") };
  const leased = { ...settings, expiresAt: undefined, officeHours: undefined };
  const lease = makeLease(name("lease"), leased, candidate);
  const { runId, expiresAt } = lease;
  const identity = identityTags({
    ...{ stack, env, owner, protect: false, model, hourlyUsd },
    own: settings.tags,
  });
  const tags = { ...identity, [runTag]: runId };
  const inAccount = inAccountOf({ ...settings, stack }, tags);
  const {
    providers: [account],
    transformations,
  } = inAccount;
  const jobName = runId.apply((run) => `${stack}-${run}`);
  const teardown = new TrainingTeardown(
    name("teardown"),
    { jobName, stack, owner, runId, expiresAt, tags },
    inAccount,
  );
  const { subnetIds, securityGroupIds, image, sourceUri, baseUri } = settings;
  const { kmsKeyArn, volumeKmsKeyArn, weightsKmsKeyArn } = settings;
  const inVpc = subnetIds !== undefined && securityGroupIds !== undefined;
  const { role, policy } = trainingRole(
    name("job"),
    {
      ...{ jobName, region, image, sourceUri, checkpointsUri, baseUri, inVpc, tags },
      ...{ kmsKeyArn, weightsKmsKeyArn },
    },
    { provider: account, transformations },
  );
  const { instances, volumeGiB, spot, keepWarmMinutes, baseModel, syncMinutes } = settings;
  const { sharedStorage } = settings;
  const job = new TrainingJob(
    name("job"),
    {
      ...{ region, jobName, roleArn: role.arn, image, instanceType, instances, volumeGiB, spot },
      ...{ keepWarmMinutes, sourceUri, checkpointsUri, baseUri, baseModel, syncMinutes },
      sharedStorage,
      ...{ expiresAt, subnetIds, securityGroupIds, kmsKeyArn, volumeKmsKeyArn },
      tags: { ...tags, [expiryTag]: expiresAt, "berth:started-at": lease.startedAt },
    },
    // Armed first: from the moment that something costs, something ends it.
    { dependsOn: [teardown, policy] },
  );
  return {
    ...{ owner, trainingJob: job.jobName, instanceType, checkpointsUri },
    ...{ startedAt: lease.startedAt, expiresAt, hourlyUsd },
  };
}
