import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { trustPolicy } from "../trust-policy.ts";

/** What the parts of a scheduled machine are called, each after the component's name and a hyphen. */
export interface MachineParts {
  readonly machine: string;
  readonly policy: string;
  readonly starterRole: string;
  readonly start: string;
  readonly schedule: string;
}

/** A state machine, what it may do, and when it is started. */
export interface ScheduledMachineArgs {
  readonly parts: MachineParts;
  readonly description: string;
  /** Amazon States Language. */
  readonly definition: pulumi.Input<string>;
  /** The policy of the machine's role. */
  readonly policy: pulumi.Input<string>;
  readonly group: aws.scheduler.ScheduleGroup;
  /** Expression, bounds and the machine's input. */
  readonly when: Pick<
    aws.scheduler.ScheduleArgs,
    "scheduleExpression" | "startDate" | "endDate"
  > & { readonly input?: string };
  readonly tags: TagInputs;
}

/** Roles of its own for the machine and for what starts it: nothing that breaks one layer breaks another. */
export function scheduledMachine(
  name: string,
  args: ScheduledMachineArgs,
  parent: pulumi.Resource,
) {
  const { parts, description, group, tags } = args;
  const machine = stateMachine(name, args, parent);
  const role = new aws.iam.Role(
    `${name}-${parts.starterRole}`,
    {
      description: "berth: starts the teardown of one stack",
      assumeRolePolicy: group.arn.apply((arn) => trustPolicy("scheduler.amazonaws.com", arn)),
      tags: namedTags(tags, `${name}-${parts.starterRole}`),
    },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-${parts.start}`,
    { role: role.name, policy: machine.arn.apply(startPolicy) },
    { parent },
  );
  const { input, ...when } = args.when;
  const schedule = new aws.scheduler.Schedule(
    `${name}-${parts.schedule}`,
    {
      description,
      groupName: group.name,
      flexibleTimeWindow: { mode: "OFF" },
      ...when,
      scheduleExpressionTimezone: "UTC",
      target: {
        arn: machine.arn,
        roleArn: role.arn,
        ...(input === undefined ? {} : { input }),
        retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: 3600 },
      },
    },
    { parent, dependsOn: [policy] },
  );
  return { machine, schedule };
}

/**
 * Lets the state machines of one teardown, in this account alone, use a role.
 *
 * @param groupArn of the schedules that start them, which names the account
 */
export function machineTrust(name: string, groupArn: string): string {
  const account = groupArn.split(":")[4] ?? "";
  return trustPolicy("states.amazonaws.com", `arn:aws:states:*:${account}:stateMachine:${name}-*`);
}

function stateMachine(
  name: string,
  { parts, description, definition, policy, group, tags }: ScheduledMachineArgs,
  parent: pulumi.Resource,
): aws.sfn.StateMachine {
  const role = new aws.iam.Role(
    `${name}-${parts.machine}-role`,
    {
      description,
      assumeRolePolicy: group.arn.apply((arn) => machineTrust(name, arn)),
      tags: namedTags(tags, `${name}-${parts.machine}-role`),
    },
    { parent },
  );
  const allowed = new aws.iam.RolePolicy(
    `${name}-${parts.policy}`,
    { role: role.name, policy },
    { parent },
  );
  return new aws.sfn.StateMachine(
    `${name}-${parts.machine}`,
    { roleArn: role.arn, definition, tags: namedTags(tags, `${name}-${parts.machine}`) },
    { parent, dependsOn: [allowed] },
  );
}

/** May start that one state machine, or these. */
export function startPolicy(stateMachineArn: string | readonly string[]): string {
  return JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "states:StartExecution", Resource: stateMachineArn }],
  });
}
