import type * as pulumi from "@pulumi/pulumi";

/** How the provider reaches a host: never a private key, which it takes from the environment or an agent at run time. */
export interface HostConnection {
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly user: pulumi.Input<string>;
  /** The host's public key as an OpenSSH line; any other key is refused. */
  readonly hostKey: pulumi.Input<string>;
}
