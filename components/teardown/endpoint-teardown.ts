import * as pulumi from "@pulumi/pulumi";
import type { TagInputs } from "../named-tags.ts";
import { deleteEndpoint, deleteEndpointPolicy } from "./delete-endpoint.ts";
import { scheduledStateMachine } from "./scheduled-state-machine.ts";

/** Which endpoint is ended, and when. */
export interface EndpointTeardownArgs {
  readonly endpointName: pulumi.Input<string>;
  /** RFC 3339 in UTC, to the second. */
  readonly expiresAt: pulumi.Input<string>;
  readonly tags: TagInputs;
}

/**
 * Ends a stack's SageMaker endpoint at the deadline, whoever is gone by then. The endpoint's name is chosen beforehand, so
 * this is armed before it exists. Model and configuration stay, which cost nothing; `berth down` removes them.
 *
 * ### Cost
 * Below a cent: one schedule and a handful of state transitions.
 */
export class EndpointTeardown extends pulumi.ComponentResource {
  readonly stateMachineArn: pulumi.Output<string>;
  readonly scheduleName: pulumi.Output<string>;

  constructor(name: string, args: EndpointTeardownArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:EndpointTeardown", name, {}, opts);
    const endpoint = pulumi.output(args.endpointName);
    const { machine, schedule } = scheduledStateMachine(
      name,
      {
        description: "berth: ends the endpoint of one stack",
        definition: endpoint.apply(deleteEndpoint),
        policy: endpoint.apply(deleteEndpointPolicy),
        startsAt: args.expiresAt,
        tags: args.tags,
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
