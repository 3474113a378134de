import * as pulumi from "@pulumi/pulumi";

/** Inputs of {@link LeaseRecord}; times are RFC 3339, and an empty `expiresAt` means no end. */
export interface LeaseRecordArgs {
  readonly startedAt: pulumi.Input<string>;
  readonly expiresAt: pulumi.Input<string>;
  readonly owner: pulumi.Input<string>;
  /** What no other deployment has, whatever its stack's name. */
  readonly runId: pulumi.Input<string>;
  /** Where it stands; none for a machine that is in no region. */
  readonly region?: pulumi.Input<string> | undefined;
}

/**
 * When the deployment began and ends, made once and kept: give candidates, and `ignoreChanges` for what must stay as the
 * first `up` made it (docs/adr/0003-lease-made-once.md).
 */
export class LeaseRecord extends pulumi.CustomResource {
  declare readonly startedAt: pulumi.Output<string>;
  declare readonly expiresAt: pulumi.Output<string>;
  declare readonly owner: pulumi.Output<string>;
  declare readonly runId: pulumi.Output<string>;
  declare readonly region: pulumi.Output<string | undefined>;

  constructor(name: string, args: LeaseRecordArgs, opts?: pulumi.CustomResourceOptions) {
    super("berth:index:Lease", name, { ...args }, opts);
  }
}
