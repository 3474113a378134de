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
  /** Patterns of the files to bring; see {@link WeightsSelection}. @default all that the host needs */
  readonly include?: readonly string[] | undefined;
  /** Patterns of files to leave out. @default none */
  readonly exclude?: readonly string[] | undefined;
  /** Where the bucket is, when that is not `region`; the traffic is paid for. @default `region` */
  readonly bucketRegion?: string | undefined;
  /** The host pays for requests and traffic. @default false */
  readonly requesterPays?: boolean | undefined;
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
