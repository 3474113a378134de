import * as pulumi from "@pulumi/pulumi";
import type { HostConnection } from "../host-connection.ts";

/** Inputs of {@link ExistingHost}. */
export interface ExistingHostArgs {
  readonly connection: HostConnection;
  /** Where berth keeps its files on the machine. */
  readonly dataFolder: string;
  /** Who has the machine: two deployments would stop each other's server. */
  readonly stack: string;
  readonly runId: pulumi.Input<string>;
}

/**
 * A machine that was there before and stays: taken for one deployment when it is made, and given back when it is removed,
 * without the files that berth put there. What stays on it is said then: a driver and other packages.
 */
export class ExistingHost extends pulumi.CustomResource {
  /** Takes the place of an instance's id; another machine, or a new host key, is another one. */
  declare readonly machineId: pulumi.Output<string>;

  constructor(name: string, args: ExistingHostArgs, opts?: pulumi.CustomResourceOptions) {
    super("berth:index:ExistingHost", name, { ...args, machineId: undefined }, opts);
  }
}
