import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { expiryTag } from "../identity.ts";
import { namedTags, type TagInputs } from "../named-tags.ts";
import { armElsewhere } from "./arm-elsewhere.ts";
import { scheduledMachine, type MachineParts } from "./scheduled-machine.ts";
import { sweepByTag, sweepPolicy } from "./sweep-by-tag.ts";
import { sweepBounds, sweepExpression, sweepInput } from "./teardown-times.ts";
import { atExpression, type HostOwner } from "./terminate-by-tag.ts";

/** Whose run it is that ends. */
export interface RunOwner extends Omit<HostOwner, "runId"> {
  readonly runId: pulumi.Input<string>;
}

/** What ends a run, and when. */
export interface DeadlineAndSweepArgs extends RunOwner {
  /** RFC 3339 in UTC, to the second. */
  readonly expiresAt: pulumi.Input<string>;
  readonly tags: TagInputs;
  /** What the machine of the deadline does. */
  readonly atDeadline: {
    readonly description: string;
    /** Amazon States Language. */
    readonly definition: pulumi.Input<string>;
    /** The policy of the machine's role. */
    readonly policy: pulumi.Input<string>;
  };
  /** Regions besides the stack's own that are swept too. */
  readonly sweepRegions: readonly string[];
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
 * Two ways to end a run that share nothing but the group of their schedules: at the deadline, the machine that is given;
 * after it, every five minutes for six hours, a sweep that looks for whatever of the run still costs money, marks it, and
 * ends it at the second sight. Neither needs code that somebody would have to keep running. Other regions are swept where that
 * is asked for.
 *
 * Schedules take no tags; their group carries them, and the deadline.
 */
export function deadlineAndSweep(
  name: string,
  args: DeadlineAndSweepArgs,
  parent: pulumi.Resource,
) {
  const { stack, owner, tags, atDeadline } = args;
  const expiresAt = pulumi.output(args.expiresAt);
  const run = pulumi.output(args.runId).apply((runId) => ({ stack, owner, runId }));
  const group = new aws.scheduler.ScheduleGroup(
    `${name}-group`,
    { tags: { ...namedTags(tags, `${name}-group`), [expiryTag]: expiresAt } },
    { parent },
  );
  const when = { scheduleExpression: expiresAt.apply(atExpression) };
  const deadline = { parts: deadlineParts, ...atDeadline, group, when, tags };
  const { machine, schedule } = scheduledMachine(name, deadline, parent);
  const bounds = expiresAt.apply(sweepBounds);
  scheduledMachine(
    name,
    {
      parts: sweepParts,
      description: "berth: sweeps what is left of one stack",
      definition: run.apply(sweepByTag),
      policy: run.apply(sweepPolicy),
      group,
      when: {
        scheduleExpression: sweepExpression,
        startDate: bounds.startDate,
        endDate: bounds.endDate,
        input: sweepInput,
      },
      tags,
    },
    parent,
  );
  if (args.sweepRegions.length > 0) armElsewhere(name, { run, bounds, ...args }, parent);
  return { stateMachineArn: machine.arn, scheduleName: schedule.name };
}
