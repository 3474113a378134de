import * as pulumi from "@pulumi/pulumi";
import type { TagInputs } from "../named-tags.ts";
import type { TrainingJobInputs } from "./training-request.ts";

/** Inputs of {@link TrainingJob}. */
export type TrainingJobArgs = {
  readonly [Key in keyof Omit<TrainingJobInputs, "tags">]: pulumi.Input<TrainingJobInputs[Key]>;
} & { readonly region: string; readonly tags: TagInputs };

/**
 * A SageMaker training job, which AWS's provider does not wait for nor stop. It is there as soon as SageMaker has taken it, and
 * ends by itself; deleting it stops it and waits for its end. SageMaker keeps the record of a job for good.
 */
export class TrainingJob extends pulumi.CustomResource {
  declare readonly jobName: pulumi.Output<string>;
  declare readonly arn: pulumi.Output<string>;

  constructor(name: string, args: TrainingJobArgs, opts?: pulumi.CustomResourceOptions) {
    super("berth:index:TrainingJob", name, { ...args, arn: undefined }, opts);
  }
}
