import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { firstVariantName } from "./further-models.ts";
import type { GuardedUpdate } from "./hosted-endpoint.ts";
import { deploymentPolicy, type EndpointUpdate } from "./endpoint-update.ts";

/** Share of requests that a container may answer with 5xx before an update is rolled back. */
const tolerated = 0.05;

/** What an endpoint's alarms are made of. */
export interface RollbackAlarmsArgs {
  readonly update: EndpointUpdate;
  /** Known before the endpoint exists, so that what watches it is there first. */
  readonly endpointName: pulumi.Input<string>;
  /** Names of the variants beside the first. */
  readonly furtherVariants: readonly string[];
  readonly tags: TagInputs;
}

/** What the name of the alarm of a variant begins with, as AWS's provider makes it. */
export function alarmNamePrefix(name: string, furtherVariant?: string): string {
  return furtherVariant === undefined ? `${name}-errors` : `${name}-${furtherVariant}-errors`;
}

/**
 * How the endpoint is updated, with the alarms that roll an update back: one of each variant on the share of server errors of old
 * and new containers, and those of the user's own. Undefined where nothing is watched, and SageMaker's default holds.
 *
 * ### Cost
 * $0.10 a month for each alarm (https://aws.amazon.com/cloudwatch/pricing/, us-east-1, read 2026-11).
 */
export function guardedUpdate(
  name: string,
  args: RollbackAlarmsArgs,
  parent: pulumi.Resource,
): GuardedUpdate | undefined {
  const { update, furtherVariants } = args;
  const policy = deploymentPolicy(update);
  if (policy === undefined || update.bakeSeconds === 0) return policy;
  const own = [undefined, ...furtherVariants].map((variant) =>
    errorAlarm(alarmNamePrefix(name, variant), variant ?? firstVariantName, { ...args, parent }),
  );
  const names = [...own.map((alarm) => alarm.name), ...update.alarms];
  const alarms = names.map((alarmName) => ({ alarmName }));
  return { ...policy, autoRollbackConfiguration: { alarms } };
}

function errorAlarm(
  name: string,
  VariantName: string,
  {
    endpointName: EndpointName,
    tags,
    parent,
  }: RollbackAlarmsArgs & { readonly parent: pulumi.Resource },
): aws.cloudwatch.MetricAlarm {
  return new aws.cloudwatch.MetricAlarm(
    name,
    {
      alarmDescription: "berth: the endpoint answers with server errors; an update goes back",
      namespace: "AWS/SageMaker",
      metricName: "Invocation5XXErrors",
      dimensions: { EndpointName, VariantName },
      // Each answer counts 0 or 1, so that the average is a share.
      statistic: "Average",
      period: 60,
      evaluationPeriods: 1,
      threshold: tolerated,
      comparisonOperator: "GreaterThanThreshold",
      treatMissingData: "notBreaching",
      tags: namedTags(tags, name),
    },
    { parent },
  );
}
