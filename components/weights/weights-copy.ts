import * as pulumi from "@pulumi/pulumi";
import type { HostConnection } from "../host-connection.ts";

/** Inputs of {@link WeightsCopy}. */
export interface WeightsCopyArgs {
  readonly connection: HostConnection;
  /** A new machine is filled anew. */
  readonly instanceId: pulumi.Input<string>;
  /** Folder on the machine that runs `up`. */
  readonly source: string;
  /** Changes when a file of the source does. */
  readonly fingerprint: string;
  /** Folder on the host. */
  readonly folder: string;
  /** Patterns of the files to bring; see {@link WeightsSelection}. @default all that the host needs */
  readonly include?: readonly string[] | undefined;
  /** Patterns of files to leave out. @default none */
  readonly exclude?: readonly string[] | undefined;
}

/** The weights of a folder here, copied to a host over SSH and checked; for machines that reach no bucket. */
export class WeightsCopy extends pulumi.CustomResource {
  declare readonly bytes: pulumi.Output<number>;
  declare readonly manifestSha256: pulumi.Output<string>;

  constructor(name: string, args: WeightsCopyArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { files: undefined, bytes: undefined, manifestSha256: undefined };
    super("berth:index:WeightsCopy", name, { ...args, ...outputs }, opts);
  }
}
