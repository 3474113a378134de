import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { trustPolicy } from "../trust-policy.ts";
import {
  atExpression,
  terminateByTag,
  terminatePolicy,
  type HostOwner,
} from "./terminate-by-tag.ts";

/** What is ended, and when. */
export interface TeardownScheduleArgs extends Omit<HostOwner, "runId"> {
  readonly runId: pulumi.Input<string>;
  /** RFC 3339 in UTC, to the second. */
  readonly expiresAt: pulumi.Input<string>;
  readonly tags: TagInputs;
}

/**
 * Ends every host of a stack at the deadline, whoever is gone by then: a one-time EventBridge schedule starts a state
 * machine that finds the stack's instances by their tags, terminates them, and looks again until none is left. It is
 * armed before the first host exists, and needs no code that somebody would have to keep running.
 *
 * Schedules take no tags; their group carries them.
 *
 * ### Cost
 * Below a cent: one schedule and a handful of state transitions.
 */
export class TeardownSchedule extends pulumi.ComponentResource {
  readonly stateMachineArn: pulumi.Output<string>;
  readonly scheduleName: pulumi.Output<string>;

  constructor(name: string, args: TeardownScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:TeardownSchedule", name, {}, opts);
    const group = new aws.scheduler.ScheduleGroup(
      `${name}-group`,
      { tags: namedTags(args.tags, `${name}-group`) },
      { parent: this },
    );
    const machine = terminator(name, args, this);
    const { role, policy } = starterRole(name, { machine, group, tags: args.tags }, this);
    const schedule = new aws.scheduler.Schedule(
      `${name}-at-deadline`,
      {
        description: "berth: ends the hosts of one stack",
        groupName: group.name,
        flexibleTimeWindow: { mode: "OFF" },
        scheduleExpression: pulumi.output(args.expiresAt).apply(atExpression),
        scheduleExpressionTimezone: "UTC",
        target: {
          arn: machine.arn,
          roleArn: role.arn,
          retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: 3600 },
        },
      },
      { parent: this, dependsOn: [policy] },
    );
    this.stateMachineArn = machine.arn;
    this.scheduleName = schedule.name;
    this.registerOutputs({
      stateMachineArn: this.stateMachineArn,
      scheduleName: this.scheduleName,
    });
  }
}

function terminator(
  name: string,
  args: TeardownScheduleArgs,
  parent: pulumi.Resource,
): aws.sfn.StateMachine {
  const { stack, owner } = args;
  const hosts = pulumi.output(args.runId).apply((runId) => ({ stack, owner, runId }));
  const role = new aws.iam.Role(
    `${name}-terminator-role`,
    {
      description: "berth: ends the hosts of one stack",
      assumeRolePolicy: trustPolicy(
        "states.amazonaws.com",
        `arn:aws:states:*:*:stateMachine:${name}-*`,
      ),
      tags: namedTags(args.tags, `${name}-terminator-role`),
    },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-terminate`,
    { role: role.name, policy: hosts.apply(terminatePolicy) },
    { parent },
  );
  return new aws.sfn.StateMachine(
    `${name}-terminator`,
    {
      roleArn: role.arn,
      definition: hosts.apply(terminateByTag),
      tags: namedTags(args.tags, `${name}-terminator`),
    },
    { parent, dependsOn: [policy] },
  );
}

interface StarterArgs {
  readonly machine: aws.sfn.StateMachine;
  readonly group: aws.scheduler.ScheduleGroup;
  readonly tags: TagInputs;
}

function starterRole(name: string, { machine, group, tags }: StarterArgs, parent: pulumi.Resource) {
  const role = new aws.iam.Role(
    `${name}-starter-role`,
    {
      description: "berth: starts the teardown of one stack",
      assumeRolePolicy: group.arn.apply((arn) => trustPolicy("scheduler.amazonaws.com", arn)),
      tags: namedTags(tags, `${name}-starter-role`),
    },
    { parent },
  );
  const policy = new aws.iam.RolePolicy(
    `${name}-start`,
    { role: role.name, policy: machine.arn.apply(startPolicy) },
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
