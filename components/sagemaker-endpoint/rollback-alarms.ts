import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { variantName } from "./endpoint-configuration.ts";
import type { GuardedUpdate } from "./hosted-endpoint.ts";
import { deploymentPolicy, type EndpointUpdate } from "./endpoint-update.ts";

/** Share of requests that a container may answer with 5xx before an update is rolled back. */
const tolerated = 0.05;

/** What an endpoint's alarms are made of. */
export interface RollbackAlarmsArgs {
  readonly update: EndpointUpdate;
  /** Known before the endpoint exists, so that what watches it is there first. */
  readonly endpointName: pulumi.Input<string>;
  readonly tags: TagInputs;
}

/** The name that AWS's provider gives the stack's alarm begins so. */
export function alarmNamePrefix(name: string): string {
  return `${name}-errors`;
}

/**
 * How the endpoint is updated, with the alarms that roll an update back: one on the share of server errors of old and new
 * containers, and those of the user's own. Undefined where nothing is watched, and SageMaker's default holds.
 *
 * ### Cost
 * $0.10 a month for the alarm (https://aws.amazon.com/cloudwatch/pricing/, us-east-1, read 2026-11).
 */
export function guardedUpdate(
  name: string,
  { update, endpointName, tags }: RollbackAlarmsArgs,
  parent: pulumi.Resource,
): GuardedUpdate | undefined {
  const policy = deploymentPolicy(update);
  if (policy === undefined || update.bakeSeconds === 0) return policy;
  const errors = new aws.cloudwatch.MetricAlarm(
    alarmNamePrefix(name),
    {
      alarmDescription: "berth: the endpoint answers with server errors; an update goes back",
      namespace: "AWS/SageMaker",
      metricName: "Invocation5XXErrors",
      dimensions: { EndpointName: endpointName, VariantName: variantName },
      // Each answer counts 0 or 1, so that the average is a share.
      statistic: "Average",
      period: 60,
      evaluationPeriods: 1,
      threshold: tolerated,
      comparisonOperator: "GreaterThanThreshold",
      treatMissingData: "notBreaching",
      tags: namedTags(tags, alarmNamePrefix(name)),
    },
    { parent },
  );
  const alarms = [errors.name, ...update.alarms].map((alarmName) => ({ alarmName }));
  return { ...policy, autoRollbackConfiguration: { alarms } };
}
