import * as pulumi from "@pulumi/pulumi";
import type { TagInputs } from "../named-tags.ts";
import { deadlineAndSweep, type RunOwner } from "../teardown/deadline-and-sweep.ts";
import { stopTraining, stopTrainingPolicy } from "./stop-training.ts";

/** Which job is ended, and when. */
export interface TrainingTeardownArgs extends RunOwner {
  readonly jobName: pulumi.Input<string>;
  /** RFC 3339 in UTC, to the second. */
  readonly expiresAt: pulumi.Input<string>;
  readonly tags: TagInputs;
}

/**
 * Stops a training job at the deadline, whoever is gone by then; a sweep comes after it. The job has a limit of its own, which
 * does not count the time that it waits for capacity.
 *
 * ### Cost
 * Below ten cents: two schedules and some thousand state transitions.
 */
export class TrainingTeardown extends pulumi.ComponentResource {
  constructor(name: string, args: TrainingTeardownArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:TrainingTeardown", name, {}, opts);
    const jobName = pulumi.output(args.jobName);
    const atDeadline = {
      description: "berth: stops the training job of one stack",
      definition: jobName.apply(stopTraining),
      policy: jobName.apply(stopTrainingPolicy),
    };
    // A job is in one region, which its stack never leaves.
    const all = { ...args, atDeadline, sweepRegions: [] };
    const { stateMachineArn, scheduleName } = deadlineAndSweep(name, all, this);
    this.registerOutputs({ stateMachineArn, scheduleName });
  }
}
