import * as pulumi from "@pulumi/pulumi";
import type { HostConnection } from "../host-connection.ts";

/** Inputs of {@link HostKeyRotation}. */
export interface HostKeyRotationArgs {
  /** With the seeded key, which vouches for the very first connection. */
  readonly connection: HostConnection;
  /** A new instance is seeded anew, and so rotated anew. */
  readonly instanceId: pulumi.Input<string>;
}

/**
 * The first contact with a new host: it makes itself a host key that no user data ever held, and says so over the connection
 * that the seeded key vouches for. All that works on the host afterwards pins the new key, which the state holds.
 */
export class HostKeyRotation extends pulumi.CustomResource {
  /** The key to pin, an OpenSSH public line. */
  declare readonly hostKey: pulumi.Output<string>;

  constructor(name: string, args: HostKeyRotationArgs, opts?: pulumi.CustomResourceOptions) {
    super("berth:index:HostKeyRotation", name, { ...args, hostKey: undefined }, opts);
  }
}
