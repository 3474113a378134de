import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expiryTag } from "../identity.ts";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { scheduledMachine, type MachineParts } from "./scheduled-machine.ts";
import { sweepByTag, sweepPolicy } from "./sweep-by-tag.ts";
import { sweepBounds, sweepExpression } from "./teardown-times.ts";
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

const deadlineParts: MachineParts = {
  machine: "terminator",
  policy: "terminate",
  starterRole: "starter-role",
  start: "start",
  schedule: "at-deadline",
};

const sweepParts: MachineParts = {
  machine: "sweeper",
  policy: "sweep",
  starterRole: "sweep-starter",
  start: "sweep-start",
  schedule: "after-deadline",
};

/**
 * Ends a stack's hosts at the deadline, whoever is gone by then, in two ways that share nothing but the group of their
 * schedules. At the deadline a one-time schedule starts a state machine that finds the stack's instances by their tags,
 * terminates them, and looks again until none is left. After it, every five minutes for six hours, a sweep looks for
 * whatever of the stack still costs money, marks it, and ends it at the second sight. Both are armed before the first host
 * exists, and need no code that somebody would have to keep running.
 *
 * Schedules take no tags; their group carries them, and the deadline.
 *
 * ### Cost
 * Below ten cents: two schedules and some thousand state transitions.
 */
export class TeardownSchedule extends pulumi.ComponentResource {
  readonly stateMachineArn: pulumi.Output<string>;
  readonly scheduleName: pulumi.Output<string>;

  constructor(name: string, args: TeardownScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:TeardownSchedule", name, {}, opts);
    const { stack, owner, tags } = args;
    const expiresAt = pulumi.output(args.expiresAt);
    const hosts = pulumi.output(args.runId).apply((runId) => ({ stack, owner, runId }));
    const group = new aws.scheduler.ScheduleGroup(
      `${name}-group`,
      { tags: { ...namedTags(tags, `${name}-group`), [expiryTag]: expiresAt } },
      { parent: this },
    );
    const { machine, schedule } = scheduledMachine(
      name,
      {
        parts: deadlineParts,
        description: "berth: ends the hosts of one stack",
        definition: hosts.apply(terminateByTag),
        policy: hosts.apply(terminatePolicy),
        group,
        when: { scheduleExpression: expiresAt.apply(atExpression) },
        tags,
      },
      this,
    );
    const bounds = expiresAt.apply(sweepBounds);
    scheduledMachine(
      name,
      {
        parts: sweepParts,
        description: "berth: sweeps what is left of one stack",
        definition: hosts.apply(sweepByTag),
        policy: hosts.apply(sweepPolicy),
        group,
        when: {
          scheduleExpression: sweepExpression,
          startDate: bounds.startDate,
          endDate: bounds.endDate,
          // https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
          input: JSON.stringify({ time: "<aws.scheduler.scheduled-time>" }),
        },
        tags,
      },
      this,
    );
    this.stateMachineArn = machine.arn;
    this.scheduleName = schedule.name;
    this.registerOutputs({
      stateMachineArn: this.stateMachineArn,
      scheduleName: this.scheduleName,
    });
  }
}
