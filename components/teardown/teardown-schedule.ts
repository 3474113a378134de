import * as pulumi from "@pulumi/pulumi";
import type { TagInputs } from "../named-tags.ts";
import { deadlineAndSweep, type RunOwner } from "./deadline-and-sweep.ts";
import { terminateByTag, terminatePolicy } from "./terminate-by-tag.ts";

/** What is ended, and when. */
export interface TeardownScheduleArgs extends RunOwner {
  /** RFC 3339 in UTC, to the second. */
  readonly expiresAt: pulumi.Input<string>;
  readonly tags: TagInputs;
  /** Regions besides the stack's own that are swept too. @default none */
  readonly sweepRegions?: readonly string[] | undefined;
}

/**
 * Ends a stack's hosts at the deadline, whoever is gone by then: a one-time schedule starts a state machine that finds the
 * stack's instances by their tags, terminates them, and looks again until none is left; a sweep comes after it. Both are
 * armed before the first host exists.
 *
 * ### Cost
 * Below ten cents: two schedules and some thousand state transitions.
 */
export class TeardownSchedule extends pulumi.ComponentResource {
  readonly stateMachineArn: pulumi.Output<string>;
  readonly scheduleName: pulumi.Output<string>;

  constructor(name: string, args: TeardownScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:TeardownSchedule", name, {}, opts);
    const { stack, owner, sweepRegions = [] } = args;
    const hosts = pulumi.output(args.runId).apply((runId) => ({ stack, owner, runId }));
    const atDeadline = {
      description: "berth: ends the hosts of one stack",
      definition: hosts.apply(terminateByTag),
      policy: hosts.apply(terminatePolicy),
    };
    const armed = deadlineAndSweep(name, { ...args, atDeadline, sweepRegions }, this);
    this.stateMachineArn = armed.stateMachineArn;
    this.scheduleName = armed.scheduleName;
    this.registerOutputs({
      stateMachineArn: this.stateMachineArn,
      scheduleName: this.scheduleName,
    });
  }
}
