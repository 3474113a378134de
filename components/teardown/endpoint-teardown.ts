import * as pulumi from "@pulumi/pulumi";
import type { TagInputs } from "../named-tags.ts";
import { deadlineAndSweep, type RunOwner } from "./deadline-and-sweep.ts";
import { deleteEndpoint, deleteEndpointPolicy } from "./delete-endpoint.ts";

/** Which endpoint is ended, and when. */
export interface EndpointTeardownArgs extends RunOwner {
  readonly endpointName: pulumi.Input<string>;
  /** What the names of the inference components that bring its models have after the endpoint's name. @default none do */
  readonly componentEndings: readonly string[];
  /** Whether a notebook instance of the same name is beside it. */
  readonly hasNotebook: boolean;
  /** RFC 3339 in UTC, to the second. */
  readonly expiresAt: pulumi.Input<string>;
  readonly tags: TagInputs;
  /** Regions besides the stack's own that are swept too. @default none */
  readonly sweepRegions?: readonly string[] | undefined;
}

/**
 * Ends a stack's SageMaker endpoint at the deadline, whoever is gone by then; a sweep comes after it. The endpoint's name is
 * chosen beforehand, so this is armed before it exists. Model and configuration stay, which cost nothing; `berth down`
 * removes them.
 *
 * ### Cost
 * Below ten cents: two schedules and some thousand state transitions.
 */
export class EndpointTeardown extends pulumi.ComponentResource {
  readonly stateMachineArn: pulumi.Output<string>;
  readonly scheduleName: pulumi.Output<string>;

  constructor(name: string, args: EndpointTeardownArgs, opts?: pulumi.ComponentResourceOptions) {
    super("berth:index:EndpointTeardown", name, {}, opts);
    const { componentEndings, hasNotebook, sweepRegions = [] } = args;
    const ended = pulumi.output(args.endpointName).apply((endpointName) => ({
      endpointName,
      components: componentEndings.map((ending) => `${endpointName}${ending}`),
      notebookName: hasNotebook ? endpointName : undefined,
    }));
    const atDeadline = {
      description: "berth: ends the endpoint of one stack",
      definition: ended.apply(deleteEndpoint),
      policy: ended.apply(deleteEndpointPolicy),
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
