import type * as pulumi from "@pulumi/pulumi";

/** How the provider reaches a host: never a private key, which it takes from the environment or an agent at run time. */
export interface HostConnection {
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly user: pulumi.Input<string>;
  /** The host's public key as an OpenSSH line; any other key is refused. */
  readonly hostKey: pulumi.Input<string>;
  /** What is on the way to it. @default nothing: it is reached from here */
  readonly through?: pulumi.Input<HostThrough> | undefined;
}

/** A machine on the way, whose key is pinned too, or a program's words with %h and %p, as OpenSSH's ProxyCommand has them. */
export type HostThrough =
  | { readonly command: readonly string[] }
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly hostKey: string;
    };
