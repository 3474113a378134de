import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { trustPolicy } from "../trust-policy.ts";
import { atExpression } from "./terminate-by-tag.ts";

/** A state machine, what it may do, and when it starts. */
export interface ScheduledStateMachineArgs {
  /** What both say of themselves in the console. */
  readonly description: string;
  /** Amazon States Language. */
  readonly definition: pulumi.Input<string>;
  /** IAM policy of its role. */
  readonly policy: pulumi.Input<string>;
  /** RFC 3339 in UTC, to the second. */
  readonly startsAt: pulumi.Input<string>;
  readonly tags: TagInputs;
}

/** A state machine that a one-time EventBridge schedule starts, each with a role that can do that and nothing else. */
export function scheduledStateMachine(
  name: string,
  args: ScheduledStateMachineArgs,
  parent: pulumi.Resource,
): { readonly machine: aws.sfn.StateMachine; readonly schedule: aws.scheduler.Schedule } {
  const group = new aws.scheduler.ScheduleGroup(
    `${name}-group`,
    { tags: namedTags(args.tags, `${name}-group`) },
    { parent },
  );
  const machine = stateMachine(name, args, parent);
  const starter = roleWith(
    `${name}-starter`,
    {
      description: args.description,
      trust: group.arn.apply((arn) => trustPolicy("scheduler.amazonaws.com", arn)),
      policy: machine.arn.apply(startPolicy),
      tags: args.tags,
    },
    parent,
  );
  const schedule = new aws.scheduler.Schedule(
    `${name}-at-deadline`,
    {
      description: args.description,
      groupName: group.name,
      flexibleTimeWindow: { mode: "OFF" },
      scheduleExpression: pulumi.output(args.startsAt).apply(atExpression),
      scheduleExpressionTimezone: "UTC",
      target: {
        arn: machine.arn,
        roleArn: starter.role.arn,
        retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: 3600 },
      },
    },
    { parent, dependsOn: [starter.policy] },
  );
  return { machine, schedule };
}

function stateMachine(
  name: string,
  { description, definition, policy, tags }: ScheduledStateMachineArgs,
  parent: pulumi.Resource,
): aws.sfn.StateMachine {
  const trust = trustPolicy("states.amazonaws.com", `arn:aws:states:*:*:stateMachine:${name}-*`);
  const own = roleWith(`${name}-ender`, { description, trust, policy, tags }, parent);
  return new aws.sfn.StateMachine(
    `${name}-machine`,
    { roleArn: own.role.arn, definition, tags: namedTags(tags, `${name}-machine`) },
    { parent, dependsOn: [own.policy] },
  );
}

interface RoleParts {
  readonly description: string;
  readonly trust: pulumi.Input<string>;
  readonly policy: pulumi.Input<string>;
  readonly tags: TagInputs;
}

function roleWith(name: string, parts: RoleParts, parent: pulumi.Resource) {
  const role = new aws.iam.Role(
    `${name}-role`,
    {
      description: parts.description,
      assumeRolePolicy: parts.trust,
      tags: namedTags(parts.tags, `${name}-role`),
    },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-policy`,
    { role: role.name, policy: parts.policy },
    { parent },
  );
  return { role, policy };
}

/** May start that one state machine. */
function startPolicy(stateMachineArn: string): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "states:StartExecution", Resource: stateMachineArn }],
  });
}
