import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** Inputs of {@link PooledConfiguration}. */
export interface PooledConfigurationArgs {
  readonly region: string;
  /** What the configuration's name begins with; the rest is made up. */
  readonly namePrefix: string;
  /** As AWS's provider has it, but that its variant's types are pools. */
  readonly configuration: aws.sagemaker.EndpointConfigurationArgs;
  /** The first to try first. */
  readonly instanceTypes: readonly string[];
  /** How long SageMaker looks for capacity, seconds. */
  readonly provisionTimeoutSeconds: number;
}

/**
 * The configuration of an endpoint with several types, of which SageMaker takes the first with capacity. AWS's provider has no
 * such variants yet. Like the plain one it cannot be changed, only made anew, under a name of its own.
 */
export class PooledConfiguration extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly arn: pulumi.Output<string>;

  constructor(name: string, args: PooledConfigurationArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "berth:index:PooledConfiguration",
      name,
      { ...args, name: undefined, arn: undefined },
      opts,
    );
  }
}
