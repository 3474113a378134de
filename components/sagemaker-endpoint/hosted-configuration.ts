import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

/** Inputs of {@link HostedConfiguration}. */
export interface HostedConfigurationArgs {
  readonly region: string;
  /** What the configuration's name begins with; the rest is made up. */
  readonly namePrefix: string;
  /** As AWS's provider has it; with several types, the variant's one is left out. */
  readonly configuration: aws.sagemaker.EndpointConfigurationArgs;
  /** The first to try first; one alone is the variant's own. */
  readonly instanceTypes: readonly string[];
  /**
   * Weights of the variants, in their order, for an endpoint that begins with it. Another traffic makes no new configuration:
   * the endpoint itself moves it.
   */
  readonly initialWeights?: readonly number[] | undefined;
  /** How long SageMaker looks for capacity, seconds. */
  readonly provisionTimeoutSeconds: number;
}

/**
 * The configuration of an endpoint as AWS's provider cannot make it: with several types, of which SageMaker takes the first with
 * capacity, with a least of no instances, or with weights that change while it stays. Like the plain one it cannot be changed, only made anew, under a name of its own.
 */
export class HostedConfiguration extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly arn: pulumi.Output<string>;

  constructor(name: string, args: HostedConfigurationArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "berth:index:HostedConfiguration",
      name,
      { ...args, name: undefined, arn: undefined },
      opts,
    );
  }
}
