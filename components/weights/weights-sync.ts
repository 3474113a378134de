import * as pulumi from "@pulumi/pulumi";
import type { HostConnection } from "../host-connection.ts";

/** Inputs of {@link WeightsSync}. */
export interface WeightsSyncArgs {
  readonly connection: HostConnection;
  /** A new instance is filled anew. */
  readonly instanceId: pulumi.Input<string>;
  readonly bucket: pulumi.Input<string>;
  /** Ends with a slash. */
  readonly prefix: string;
  readonly region: string;
  /** Folder on the host. */
  readonly folder: string;
}

/** The weights of one prefix on the host's disk, checked; `refresh` sees a file that is gone or damaged. */
export class WeightsSync extends pulumi.CustomResource {
  declare readonly bytes: pulumi.Output<number>;
  declare readonly seconds: pulumi.Output<number>;
  declare readonly manifestSha256: pulumi.Output<string>;

  constructor(name: string, args: WeightsSyncArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = {
      files: undefined,
      bytes: undefined,
      seconds: undefined,
      manifestSha256: undefined,
    };
    super("berth:index:WeightsSync", name, { ...args, ...outputs }, opts);
  }
}
