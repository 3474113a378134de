import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { protectTag } from "../identity.ts";
import { weeklySwitches } from "../lease/weekly-switches.ts";
import { lastStart, startEventSeconds } from "../teardown/teardown-times.ts";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { trustPolicy } from "../trust-policy.ts";

/** Which endpoint keeps weekly hours. */
export interface EndpointHoursArgs {
  /** `Mon-Fri 08:00-19:00 Europe/Berlin`. */
  readonly hours: string;
  readonly endpointName: pulumi.Input<string>;
  readonly configName: pulumi.Input<string>;
  /** What the endpoint carries when it is started again: all of its tags, so that deadline and sweep still find it. */
  readonly endpointTags: TagInputs;
  /** RFC 3339; after it nothing is started. @default no end */
  readonly expiresAt?: pulumi.Input<string> | undefined;
  readonly kmsKeyArn?: string | undefined;
  readonly tags: TagInputs;
}

const target = (action: string) => `arn:aws:scheduler:::aws-sdk:sagemaker:${action}`;

/**
 * Starts an endpoint when its weekly hours begin and deletes it when they end; model and configuration stay. The schedules
 * call SageMaker themselves; a protected endpoint is not deleted. They end with the lease.
 *
 * ### Cost
 * Nothing: some hundred calls of EventBridge Scheduler a year, of 14 million a month that are free.
 */
export function endpointHours(
  name: string,
  args: EndpointHoursArgs,
  parent: pulumi.Resource,
): readonly aws.scheduler.Schedule[] {
  const { timeZone, starts, stops } = weeklySwitches(args.hours);
  const { endpointName, configName, expiresAt, tags } = args;
  const group = new aws.scheduler.ScheduleGroup(
    `${name}-hours-group`,
    { tags: namedTags(tags, `${name}-hours-group`) },
    { parent },
  );
  const { role, policy } = switchRole(name, args, group, parent);
  const schedule = (
    role_: string,
    expression: string,
    action: string,
    input: pulumi.Input<string>,
  ) =>
    new aws.scheduler.Schedule(
      `${name}-${role_}`,
      {
        description: `berth: ${action} within weekly hours`,
        groupName: group.name,
        flexibleTimeWindow: { mode: "OFF" },
        scheduleExpression: expression,
        scheduleExpressionTimezone: timeZone,
        ...(expiresAt === undefined ? {} : { endDate: lastOf(action, expiresAt) }),
        target: {
          arn: target(action),
          roleArn: role.arn,
          input,
          retryPolicy: {
            maximumRetryAttempts: 10,
            maximumEventAgeInSeconds: action === "createEndpoint" ? startEventSeconds : 1800,
          },
        },
      },
      { parent, dependsOn: [policy] },
    );
  const Tags = pulumi
    .output(args.endpointTags)
    .apply((all) => Object.entries(all).map(([Key, Value]) => ({ Key, Value })));
  const made = pulumi
    .all([endpointName, configName, Tags])
    .apply(([EndpointName, EndpointConfigName, all]) =>
      JSON.stringify({ EndpointName, EndpointConfigName, Tags: all }),
    );
  const deleted = pulumi
    .output(endpointName)
    .apply((EndpointName) => JSON.stringify({ EndpointName }));
  return [
    ...starts.map((at, n) => schedule(`hours-start-${n + 1}`, at, "createEndpoint", made)),
    ...stops.map((at, n) => schedule(`hours-stop-${n + 1}`, at, "deleteEndpoint", deleted)),
  ];
}

/** No start, however often it was refused, comes after the deadline, when what would end it may have looked already. */
function lastOf(action: string, expiresAt: pulumi.Input<string>): pulumi.Input<string> {
  return action === "createEndpoint" ? pulumi.output(expiresAt).apply(lastStart) : expiresAt;
}

function switchRole(
  name: string,
  { endpointName, kmsKeyArn, tags }: EndpointHoursArgs,
  group: aws.scheduler.ScheduleGroup,
  parent: pulumi.Resource,
) {
  const role = new aws.iam.Role(
    `${name}-hours-role`,
    {
      description: "berth: starts and stops one endpoint",
      assumeRolePolicy: group.arn.apply((arn) => trustPolicy("scheduler.amazonaws.com", arn)),
      tags: namedTags(tags, `${name}-hours-role`),
    },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-switch`,
    {
      role: role.name,
      policy: pulumi
        .output(endpointName)
        .apply((endpoint) => switchPolicy({ name, endpoint, kmsKeyArn })),
    },
    { parent },
  );
  return { role, policy };
}

/** May make that one endpoint of a configuration of this stack, tag it, and delete it while it is not protected. */
export function switchPolicy({
  name,
  endpoint,
  kmsKeyArn,
}: {
  readonly name: string;
  readonly endpoint: string;
  readonly kmsKeyArn: string | undefined;
}): string {
  const Effect = "Allow";
  const Resource = `arn:aws:sagemaker:*:*:endpoint/${endpoint}`;
  const config = `arn:aws:sagemaker:*:*:endpoint-config/${name}-config-*`;
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Sid: "Start", Effect, Action: "sagemaker:CreateEndpoint", Resource: [Resource, config] },
      { Sid: "Tag", Effect, Action: "sagemaker:AddTags", Resource },
      {
        Sid: "Stop",
        Effect,
        Action: "sagemaker:DeleteEndpoint",
        Resource,
        Condition: { StringEquals: { [`aws:ResourceTag/${protectTag}`]: "false" } },
      },
      // SageMaker encrypts the new instances' volumes in the caller's name.
      ...(kmsKeyArn === undefined
        ? []
        : [
            {
              Sid: "UseKey",
              Effect,
              Action: ["kms:CreateGrant", "kms:DescribeKey"],
              Resource: kmsKeyArn,
              Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
            },
          ]),
    ],
  });
}
