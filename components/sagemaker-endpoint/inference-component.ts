import * as pulumi from "@pulumi/pulumi";

/** Inputs of {@link InferenceComponent}. */
export interface InferenceComponentArgs {
  readonly componentName: pulumi.Input<string>;
  readonly endpointName: pulumi.Input<string>;
  readonly variantName: string;
  /** What it runs; a change moves its copies to the new one. */
  readonly modelName: pulumi.Input<string>;
  /** The endpoint's configuration: on another one, a failed component is tried again. */
  readonly configName: pulumi.Input<string>;
  readonly region: string;
  /** Copies to begin with, one at least; scaling has them later. */
  readonly copies: number;
  /** GPUs of one copy. */
  readonly accelerators: number;
  readonly memoryMiB: number;
  readonly downloadTimeoutSeconds: number;
  readonly startupTimeoutSeconds: number;
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
}

/**
 * A model on an endpoint that has none of its own, whose copies can come down to none. AWS's provider has no such resource.
 *
 * It records what has become of the component, a failure too; {@link EndpointAnswer} is what fails then.
 */
export class InferenceComponent extends pulumi.CustomResource {
  declare readonly componentName: pulumi.Output<string>;
  /** SageMaker's word. */
  declare readonly state: pulumi.Output<string>;
  /** The model that it runs. */
  declare readonly runningModel: pulumi.Output<string>;

  constructor(name: string, args: InferenceComponentArgs, opts?: pulumi.CustomResourceOptions) {
    const told = { arn: undefined, state: undefined, runningModel: undefined };
    super("berth:index:InferenceComponent", name, { ...args, ...told }, opts);
  }
}
