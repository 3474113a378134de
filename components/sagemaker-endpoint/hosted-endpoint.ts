import * as pulumi from "@pulumi/pulumi";
import type { deploymentPolicy } from "./endpoint-update.ts";

/** How an update goes, as AWS's provider would have it, with the alarms that take it back. */
export type GuardedUpdate = NonNullable<ReturnType<typeof deploymentPolicy>> & {
  readonly autoRollbackConfiguration?: {
    readonly alarms: readonly { readonly alarmName: pulumi.Input<string> }[];
  };
};

/** Inputs of {@link HostedEndpoint}. */
export interface HostedEndpointArgs {
  readonly endpointName: pulumi.Input<string>;
  /** What it is to run; a change moves the endpoint. */
  readonly configName: pulumi.Input<string>;
  readonly region: string;
  readonly tags: Readonly<Record<string, pulumi.Input<string>>>;
  readonly deploymentConfig?: GuardedUpdate | undefined;
  /** Weights of its variants by name; a change moves the traffic, and nothing else. @default those of the configuration */
  readonly weights?: Readonly<Record<string, number>> | undefined;
  /** Weekly hours outside of which it is not there: `Mon-Fri 08:00-19:00 Europe/Berlin`. @default it always is */
  readonly hours?: string | undefined;
}

/**
 * An endpoint that may be stopped: deleted, with its model and configuration kept, and made again under the same name. AWS's
 * provider knows no such state: it would lose the endpoint at a refresh, and fail to change one that is stopped. Nor does it
 * see an update that SageMaker rolled back, or go on after a creation that was cut off; this does both.
 *
 * It records what has become of the endpoint, a failure too; {@link EndpointAnswer} is what fails then.
 */
export class HostedEndpoint extends pulumi.CustomResource {
  declare readonly endpointName: pulumi.Output<string>;
  declare readonly arn: pulumi.Output<string>;
  /** SageMaker's word, or "stopped". */
  declare readonly state: pulumi.Output<string>;
  /** The configuration that serves; empty when none does. */
  declare readonly runningConfig: pulumi.Output<string>;
  /** What it runs on, where SageMaker chose among several types; else empty. */
  declare readonly instanceType: pulumi.Output<string>;
  /** The weights that its variants have, where some were asked for. */
  declare readonly runningWeights: pulumi.Output<Readonly<Record<string, number>>>;

  constructor(name: string, args: HostedEndpointArgs, opts?: pulumi.CustomResourceOptions) {
    const told = { arn: undefined, state: undefined, runningConfig: undefined };
    const outputs = { ...told, instanceType: undefined, runningWeights: undefined };
    super("berth:index:HostedEndpoint", name, { ...args, ...outputs }, opts);
  }
}
